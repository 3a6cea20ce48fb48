import type { Data } from '@tutti/prisma'
import type { Log } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'

/** What this subgraph's process gives it. */
export interface Services extends Pick<Data, 'database' | 'tail'> {
  log: Log
  /** TUTTI_SECRET: what signs webhooks is stored sealed by it. */
  secret: string
  /** Tells the workers that tasks are ready. */
  wake: () => void
}

/** What a resolver works with: the services, and who calls. */
export interface Context extends Services {
  actor: Actor
  /** Of a subscription: aborted when the client leaves. */
  signal?: AbortSignal
}
