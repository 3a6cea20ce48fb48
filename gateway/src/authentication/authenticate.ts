import { createHash } from 'node:crypto'
import type { Actor } from '@tutti/schema'
import type { JWTPayload } from 'jose'

import type { Credential } from './credential.ts'
import type { VerifyJwt } from './verify-jwt.ts'

/** What governance is asked: whose key or session, or who bears these verified claims. Null: nobody we know. */
export type Identify = (
  question: { kind: 'api_key' | 'session'; secret: string } | { kind: 'jwt'; claims: JWTPayload },
) => Promise<Actor | null>

/** The actor behind a credential; null when it is not valid, for whatever reason. Throws when nobody can say. */
export type Authenticate = (credential: Credential) => Promise<Actor | null>

export interface AuthenticateSettings {
  identify: Identify
  /** Without it every JWT is refused. */
  verifyJwt?: VerifyJwt | undefined
  /** How long an answer is believed, in milliseconds; a revocation takes this long to be noticed. At most 1,000. */
  cacheMs?: number | undefined
}

const MOST_ENTRIES = 10_000

/** Asks governance once a second at most for each credential; secrets are kept only as their sha256. */
export function createAuthenticate(settings: AuthenticateSettings): Authenticate {
  const cacheMs = Math.min(settings.cacheMs ?? 1_000, 1_000)
  const answers = new Map<string, { at: number; actor: Promise<Actor | null> }>()

  const ask = async (credential: Credential): Promise<Actor | null> => {
    if (credential.kind !== 'jwt') return settings.identify(credential)
    const claims = await settings.verifyJwt?.(credential.token)
    if (claims === undefined || claims === null) return null
    const actor = await settings.identify({ kind: 'jwt', claims })
    if (actor === null || claims.exp === undefined) return null
    return { ...actor, expiresAt: Math.min(actor.expiresAt ?? Infinity, claims.exp * 1_000) }
  }

  return async (credential) => {
    const key = fingerprint(credential)
    const now = Date.now()
    let entry = answers.get(key)
    if (entry === undefined || now - entry.at >= cacheMs) {
      entry = { at: now, actor: ask(credential) }
      answers.delete(key)
      answers.set(key, entry)
      entry.actor.catch(() => answers.delete(key))
      for (const oldest of answers.keys()) {
        if (answers.size <= MOST_ENTRIES) break
        answers.delete(oldest)
      }
    }
    let actor = await entry.actor
    if (actor?.validUntil !== undefined && actor.validUntil <= Date.now()) {
      // Some of what it may do has just ended: an answer from before that moment says too much.
      const renewed = ask(credential)
      answers.set(key, { at: Date.now(), actor: renewed })
      renewed.catch(() => answers.delete(key))
      actor = await renewed
    }
    return actor !== null && actor.expiresAt !== undefined && actor.expiresAt <= Date.now() ? null : actor
  }
}

/** Of a credential, to compare and to keep; the secret cannot be read from it. */
export function fingerprint(credential: Credential): string {
  return createHash('sha256')
    .update(credential.kind === 'jwt' ? `j${credential.token}` : `${credential.kind[0]}${credential.secret}`)
    .digest('base64')
}
