import type { Actor } from './actor.ts'
import type { Scope } from './roles.ts'
import { fail } from './tutti-error.ts'

/** A field tagged so looks itself at where its caller may: a scope that is held in one place opens its door. */
export const BOUNDED_TAG = 'bounded'

/** Where something is: its team, and that team's domain. Null: nowhere in particular. */
export interface Place {
  domainId: string | null
  teamId: string | null
}

/** What the actor may there alone: in its domain, or in its team; not what it may everywhere. */
export const scopesWithin = (actor: Pick<Actor, 'within'>, { domainId, teamId }: Place): Scope[] =>
  (actor.within ?? []).flatMap((each) =>
    (
      each.teamId === null
        ? each.domainId !== null && each.domainId === domainId
        : each.teamId === teamId && (each.domainId === null || each.domainId === domainId)
    )
      ? each.scopes
      : [],
  )

/** Whether the actor may there: everywhere, in its domain, or in its team. */
export const mayIn = (actor: Actor, scope: Scope, place: Place): boolean =>
  actor.scopes.includes(scope) || scopesWithin(actor, place).includes(scope)

/** FORBIDDEN when the actor may not there. */
export function requireIn(actor: Actor, scope: Scope, place: Place, path: string): void {
  if (mayIn(actor, scope, place)) return
  fail('FORBIDDEN', {
    path,
    message: 'Your role allows this in other domains or teams only.',
    hint: `Needs ${scope} there.`,
  })
}

/** What the actor may somewhere: enough to come to a field that is {@link BOUNDED_TAG}. */
export const scopesAnywhere = (actor: Actor): Scope[] => [
  ...new Set([...actor.scopes, ...(actor.within ?? []).flatMap(({ scopes }) => scopes)]),
]
