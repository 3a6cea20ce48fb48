import { type RevealedCredential, revealCredential } from '@tutti/agents/domain'
import type { Actor } from '@tutti/schema'
import { workerActor, type WorkerServices } from '../worker-services.ts'

/** A rotated or deleted credential is noticed this soon. */
const TRUST_MS = 2_000
const KNOWN = 1_000

/** Reads credentials by name for this process, and keeps each in memory for at most {@link TRUST_MS}. */
export interface Credentials {
  read(organizationId: string, name: string): Promise<RevealedCredential | undefined>
}

interface Known {
  credential: Promise<RevealedCredential | undefined>
  until: number
}

/** Opens them; nothing is read before it is asked for. */
export function openCredentials(services: Pick<WorkerServices, 'database' | 'kms'>): Credentials {
  const known = new Map<string, Known>()
  return {
    read(organizationId, name) {
      const key = `${organizationId} ${name}`
      const before = known.get(key)
      if (before && before.until > performance.now()) return before.credential
      // What is no longer trusted is not kept either.
      for (const [other, { until }] of known) if (until <= performance.now()) known.delete(other)
      if (known.size > KNOWN) known.clear()
      const actor: Actor = workerActor(organizationId)
      const credential = revealCredential(services, actor, name)
      known.set(key, { credential, until: performance.now() + TRUST_MS })
      credential.catch(() => known.delete(key))
      return credential
    },
  }
}
