import { type Actor, fail, type Scope } from '@tutti/schema'
import { NOT_GRANTABLE } from './require-grantable.ts'

/** Until when an actor has all of some scopes, milliseconds since the epoch; null: none of them ends by itself. */
function heldUntil({ ending = [] }: Pick<Actor, 'ending'>, scopes: readonly Scope[]): number | null {
  const ends = ending.filter((each) => each.scopes.some((scope) => scopes.includes(scope)))
  return ends.length === 0 ? null : Math.min(...ends.map(({ until }) => until))
}

/**
 * When what is given by some scopes ends: as was asked (null: never), or when the first of these ends for the giver. Nobody gives for
 * longer than they have it themselves, as with broken glass.
 */
export function endOf(
  actor: Pick<Actor, 'ending'>,
  scopes: readonly Scope[],
  asked: Date | null | undefined,
): Date | null {
  const until = heldUntil(actor, scopes)
  return until === null ? (asked ?? null) : new Date(Math.min(until, asked?.getTime() ?? until))
}

/** FORBIDDEN for what would be given without an end, by who has one of these scopes for a time only. */
export function requireLasting(actor: Actor, scopes: readonly Scope[], path: string): void {
  const until = heldUntil(actor, scopes)
  if (until === null) return
  fail('FORBIDDEN', {
    path,
    message: 'Nobody gives for longer than they have it themselves, and this has no end.',
    hint: `Your right ends at ${new Date(until).toISOString()}: assignRole and createApiKey give what ends with it.`,
    cause: NOT_GRANTABLE,
  })
}
