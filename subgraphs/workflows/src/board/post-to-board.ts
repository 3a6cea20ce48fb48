import { actorRecord } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import { type Actor, canonicalJson, fail } from '@tutti/schema'
import { z } from 'zod'
import type { Services } from '../context.ts'
import { readJson } from '../runs/control/read-json.ts'
import { recordEvents } from '../runs/control/record-events.ts'
import { isStorableText } from '../triggers/unstorable.ts'
import { aboutItem, type BoardItemRow, ITEM_COLUMNS } from './board-item.ts'

const line = (what: string) =>
  z
    .string()
    .refine((text) => text.trim() !== '' && text.length <= 200, `${what} has 1 to 200 characters.`)
    .refine(isStorableText, 'It holds a NUL or half a character, which cannot be stored.')

const inputSchema = z.object({
  capability: line('A capability'),
  input: z.record(z.string(), z.unknown(), { error: 'An object.' }),
  idempotencyKey: line('A key').nullish(),
})

/**
 * Posts an item for any peer with the capability. The same key with the same item posts it once;
 * IDEMPOTENCY_KEY_REUSED with another. BAD_INPUT with all mistakes.
 */
export async function postToBoard(
  { database }: Pick<Services, 'database'>,
  actor: Actor,
  input: unknown,
): Promise<{ item: BoardItemRow; created: boolean }> {
  const { capability, input: held, idempotencyKey = null } = parseInput(inputSchema, input)
  readJson(held, 'input.input')
  const posted = await database.transact(actor, async (client) => {
    const { rows } = await client.query<BoardItemRow>(
      `with i as (
         insert into board_item (organization_id, capability, input, posted_by, idempotency_key)
         values ($1, $2, $3, $4, $5) on conflict (organization_id, idempotency_key) do nothing returning *
       ) select ${ITEM_COLUMNS} from i`,
      [
        actor.organizationId,
        capability,
        JSON.stringify(held),
        JSON.stringify(actorRecord(actor)),
        idempotencyKey,
      ],
    )
    const [item] = rows
    if (item) {
      await recordEvents(client, actor, [{ type: 'board.posted', ...aboutItem(item) }])
      return { item, created: true }
    }
    const before = await client.query<BoardItemRow>(
      `select ${ITEM_COLUMNS} from board_item i where i.organization_id = $1 and i.idempotency_key = $2`,
      [actor.organizationId, idempotencyKey],
    )
    const [known] = before.rows
    if (!known || known.capability !== capability || canonicalJson(known.input) !== canonicalJson(held))
      return fail('IDEMPOTENCY_KEY_REUSED', { path: 'input.idempotencyKey' })
    return { item: known, created: false }
  })
  if (posted.created) database.announce()
  return posted
}
