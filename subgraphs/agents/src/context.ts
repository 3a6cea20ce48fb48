import type { Data } from '@tutti/prisma'
import type { Kms, Log } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'

/** What this subgraph's process gives it. */
export interface Services extends Pick<Data, 'database' | 'tail'> {
  log: Log
  /** What wraps the tenants' data keys. */
  kms: Kms
  /** From which the secrets of HTTP agents' signatures are derived. */
  secret: string
}

/** What a resolver works with: the services, and who calls. */
export interface Context extends Services {
  actor: Actor
  /** Of a subscription: aborted when the client leaves. */
  signal?: AbortSignal
}
