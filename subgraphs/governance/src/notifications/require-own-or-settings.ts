import { type Actor, fail } from '@tutti/schema'
import { isPerson } from '../access/behind.ts'
import type { ChannelRow } from './channel-row.ts'

/** FORBIDDEN for a channel of others without the scope settings:write; people say where they themselves are told. */
export function requireOwnOrSettings(
  actor: Actor,
  { ownerKind, owner }: Pick<ChannelRow, 'ownerKind'> & { owner: string | null },
): void {
  if (ownerKind === 'person' && owner === actor.id && isPerson(actor)) return
  if (actor.scopes.includes('settings:write')) return
  fail('FORBIDDEN', { path: 'input', hint: 'Of others it takes the scope settings:write.' })
}
