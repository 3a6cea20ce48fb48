import type { FastifyInstance } from 'fastify'

import type { SubgraphEndpoint } from '../subgraph/subgraph-endpoint.ts'

export interface HealthParts {
  subgraphs: readonly SubgraphEndpoint[]
  /** False while draining. */
  accepting(): boolean
  /** More that has to be true, by name. */
  ready?: (() => Promise<Record<string, boolean>>) | undefined
}

/** `/health`: the process lives. `/ready`: it may be given traffic; 503 names what is missing. */
export function healthRoutes(app: FastifyInstance, parts: HealthParts): void {
  app.get('/health', async () => ({ status: 'ok' }))
  app.get('/ready', async (_request, reply) => {
    const pings = await Promise.allSettled(parts.subgraphs.map((subgraph) => subgraph.ping()))
    const checks: Record<string, boolean> = { accepting: parts.accepting() }
    parts.subgraphs.forEach((subgraph, index) => {
      checks[subgraph.name] = pings[index]?.status === 'fulfilled'
    })
    Object.assign(checks, await parts.ready?.())
    const ready = Object.values(checks).every(Boolean)
    return reply.status(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready', checks })
  })
}
