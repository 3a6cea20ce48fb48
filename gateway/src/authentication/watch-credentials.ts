import type { Actor } from '@tutti/schema'

import { authorityOf } from '../authorization/authority.ts'
import { type Authenticate, fingerprint } from './authenticate.ts'
import type { Credential } from './credential.ts'

export type EndOfAuthority = 'expired' | 'revoked' | 'authority changed'

/** Keeps long-lived connections honest: what a credential opened ends with it. */
export interface CredentialWatch {
  /** Calls `end` once when the credential expires, is revoked, or allows something else; returns how to stop. */
  watch(credential: Credential, actor: Actor, end: (reason: EndOfAuthority) => void): () => void
  stop(): void
}

interface Watched {
  authority: string
  end(reason: EndOfAuthority): void
}

interface Open {
  credential: Credential
  watched: Set<Watched>
}

/** setTimeout's longest; what expires later is rechecked long before. */
const LONGEST_TIMEOUT = 2 ** 31 - 1

/** Credentials that are asked about at once. */
const AT_ONCE = 8

/**
 * Asks about each credential every `everyMs`, once for all connections it opened; less often where so many are open that a
 * round takes longer.
 */
export function watchCredentials(authenticate: Authenticate, everyMs: number): CredentialWatch {
  const credentials = new Map<string, Open>()

  const recheck = async ({ credential, watched }: Open): Promise<void> => {
    let actor: Actor | null
    try {
      actor = await authenticate(credential)
    } catch {
      return // Governance does not answer: nobody is thrown out for that.
    }
    const authority = actor === null ? null : authorityOf(actor)
    for (const each of [...watched]) {
      if (authority === null) each.end('revoked')
      else if (each.authority !== authority) each.end('authority changed')
    }
  }
  let isUnderWay = false
  const recheckAll = async (): Promise<void> => {
    if (isUnderWay) return
    isUnderWay = true
    // One iterator: each takes the next that nobody has.
    const rest = credentials.values().toArray().values()
    const some = async (): Promise<void> => {
      for (const each of rest) await recheck(each)
    }
    await Promise.allSettled(Array.from({ length: AT_ONCE }, some))
    isUnderWay = false
  }
  const timer = setInterval(() => void recheckAll(), everyMs)

  return {
    watch(credential, actor, end) {
      const key = fingerprint(credential)
      let entry = credentials.get(key)
      if (entry === undefined) {
        entry = { credential, watched: new Set() }
        credentials.set(key, entry)
      }
      const { watched } = entry
      let expiry: NodeJS.Timeout | undefined
      const stop = (): void => {
        clearTimeout(expiry)
        watched.delete(each)
        if (watched.size === 0 && credentials.get(key)?.watched === watched) credentials.delete(key)
      }
      const each: Watched = {
        authority: authorityOf(actor),
        end(reason) {
          stop()
          end(reason)
        },
      }
      watched.add(each)
      const { expiresAt = Infinity, validUntil = Infinity } = actor
      const ends = Math.min(expiresAt, validUntil)
      if (ends < Infinity) {
        const left = Math.min(Math.max(ends - Date.now(), 0), LONGEST_TIMEOUT)
        const reason = expiresAt <= validUntil ? 'expired' : 'authority changed'
        expiry = setTimeout(() => each.end(reason), left)
      }
      return stop
    },
    stop: () => clearInterval(timer),
  }
}
