import { type Actor, fail, type Scope, SCOPES } from '@tutti/schema'

/** The cause of a refusal by {@link requireGrantable}. */
export const NOT_GRANTABLE: unique symbol = Symbol('not grantable')

/**
 * FORBIDDEN with what is missing: nobody lends what they do not have themselves, everywhere. Whoever says who somebody is, as a
 * directory does, can be anybody: access:provision is given by who may do all there is.
 */
export function requireGrantable(actor: Actor, scopes: readonly Scope[], path: string): void {
  const given = scopes.includes('access:provision') ? SCOPES : scopes
  const missing = [...new Set(given)].filter((scope) => !actor.scopes.includes(scope)).sort()
  if (missing.length === 0) return
  fail('FORBIDDEN', {
    path,
    message: 'Nobody grants what they may not do themselves.',
    hint: `You lack ${missing.join(', ')}.`,
    cause: NOT_GRANTABLE,
  })
}
