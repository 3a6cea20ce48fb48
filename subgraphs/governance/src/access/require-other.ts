import { type Actor, fail } from '@tutti/schema'
import { behind } from './behind.ts'
import { NOT_GRANTABLE } from './require-grantable.ts'

/**
 * SEPARATION_OF_DUTIES when one of those who get a group or a role is who gives it, or made the key by which it is given: by its
 * name alone they could decide what they could not before. Somebody else gives it to them.
 */
export function requireOther(actor: Actor, receivers: readonly string[], path: string): void {
  const givers = behind(actor)
  if (!receivers.some((id) => givers.includes(id))) return
  fail('SEPARATION_OF_DUTIES', {
    path,
    message: 'Nobody gives themselves a group or role that they do not have.',
    hint: 'Somebody else who manages access does; in an emergency breakGlass is the way.',
    cause: NOT_GRANTABLE,
  })
}
