import { type Actor, fail, type Scope } from '@tutti/schema'

/** The cause of a refusal by {@link requireGrantable}. */
export const NOT_GRANTABLE: unique symbol = Symbol('not grantable')

/** FORBIDDEN with what is missing: nobody lends what they do not have themselves, everywhere. */
export function requireGrantable(actor: Actor, scopes: readonly Scope[], path: string): void {
  const missing = [...new Set(scopes)].filter((scope) => !actor.scopes.includes(scope)).sort()
  if (missing.length === 0) return
  fail('FORBIDDEN', {
    path,
    message: 'Nobody grants what they may not do themselves.',
    hint: `You lack ${missing.join(', ')}.`,
    cause: NOT_GRANTABLE,
  })
}
