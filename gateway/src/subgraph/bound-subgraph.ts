import type { RunningSubgraph } from '@tutti/runtime'

import type { SubgraphEndpoint } from './subgraph-endpoint.ts'

/** A subgraph that `@tutti/runtime` bound to its services in this process. Whoever bound it ends it. */
export function boundSubgraph(running: RunningSubgraph): SubgraphEndpoint {
  return {
    name: running.name,
    execute: (request) => running.execute(request),
    subscribe: (request) => running.subscribe(request, request.signal),
    async ping() {},
    async close() {},
  }
}
