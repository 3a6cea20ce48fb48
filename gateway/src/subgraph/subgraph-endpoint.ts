import type { Actor } from '@tutti/schema'
import type { GraphQLFormattedError } from 'graphql'

/** One operation for a subgraph, as the planner wrote it. */
export interface SubgraphRequest {
  /** The text is the same for every execution of a plan, so that it can serve as a cache key. */
  query: string
  operationName?: string | undefined
  variables?: Record<string, unknown> | undefined
  /** Null only for what the schema gives to anybody. */
  actor: Actor | null
  signal?: AbortSignal | undefined
}

export interface SubgraphResult {
  data?: Record<string, unknown> | null
  errors?: readonly GraphQLFormattedError[]
}

/** A subgraph as the gateway sees it, wherever it runs. */
export interface SubgraphEndpoint {
  readonly name: string
  execute(request: SubgraphRequest): Promise<SubgraphResult>
  /**
   * The events of one subscription. Ends when the subgraph completes it, throws when the subgraph is lost, and
   * lets go of everything as soon as `signal` aborts, without waiting for an event.
   */
  subscribe(request: SubgraphRequest & { signal: AbortSignal }): AsyncIterable<SubgraphResult>
  /** Throws when the subgraph does not answer. */
  ping(): Promise<void>
  close(): Promise<void>
}
