import type { Actor } from '@tutti/schema'

/** An actor is the same object for as long as its credential's answer is cached. */
const fingerprints = new WeakMap<Actor, string>()

/**
 * Fingerprint of what a caller may do, without who it is: callers with equal fingerprints in one tenant get
 * equal answers to everything that is not marked personal.
 */
export function authorityOf(actor: Actor): string {
  const known = fingerprints.get(actor)
  if (known !== undefined) return known
  const within = (actor.within ?? []).map(
    ({ domainId, teamId, scopes }) => `${domainId}/${teamId}:${[...scopes].sort().join(' ')}`,
  )
  const fingerprint = [
    actor.kind,
    [...actor.roles].sort().join(' '),
    [...actor.scopes].sort().join(' '),
    ...within.sort(),
  ].join('|')
  fingerprints.set(actor, fingerprint)
  return fingerprint
}

/**
 * Who a shared subscription runs as: the tenant and the authority of its members, never one of them. The id is
 * the nil UUID, so that nothing a person owns can match.
 */
export function groupActor(actor: Actor): Actor {
  return {
    organizationId: actor.organizationId,
    id: '00000000-0000-0000-0000-000000000000',
    kind: actor.kind,
    name: 'subscription',
    roles: [...actor.roles].sort(),
    scopes: [...actor.scopes].sort(),
  }
}
