import type { Data, Database } from '@tutti/prisma'
import type { Kms, Log } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'

/** What an operation needs; workers and the gateway's process have it too. */
export interface DomainServices {
  database: Database
}

/** What this subgraph's process gives it. */
export interface Services extends Pick<Data, 'database' | 'tail'> {
  log: Log
  /** Wraps secrets of identity providers. */
  kms: Kms
}

/** What a resolver works with: the services, and who calls. */
export interface Context extends Services {
  actor: Actor
  /** Of a subscription: aborted when the client leaves. */
  signal?: AbortSignal
}
