import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import type { Services } from '../context.ts'
import { recordEvents } from '../runs/control/record-events.ts'
import { isStorableText } from '../triggers/unstorable.ts'
import { aboutItem } from './board-item.ts'
import { lockClaim, wakeStep } from './end-claim.ts'

const UNSTORABLE = 'It holds a NUL or half a character, which cannot be stored.'
const inputSchema = z.object({
  id: z.string(),
  fence: z.int(),
  code: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{0,63}$/, 'A code is of capitals, digits and underscores, 64 at most.'),
  message: z.string().max(2_000, 'At most 2,000 characters.').refine(isStorableText, UNSTORABLE),
})

/**
 * Gives a claimed item up for good: nobody can do it. The step that posted it has failed with this error. By the same
 * claim again nothing happens. As {@link lockClaim} otherwise; to leave it to others, release it.
 */
export async function failBoardItem(
  { database, wake }: Pick<Services, 'database' | 'wake'>,
  actor: Actor,
  input: unknown,
): Promise<void> {
  const { code, message, ...claim } = parseInput(inputSchema, input)
  const error = { code, message }
  const woken = await database.transact(actor, async (client) => {
    const { held, over } = await lockClaim(client, actor, claim)
    if (over) return false
    const { item, step } = held
    await client.query(
      `update board_item set status = 'failed', error = $3, lease_until = null, ended_at = clock_timestamp()
       where organization_id = $1 and id = $2`,
      [actor.organizationId, item.id, JSON.stringify(error)],
    )
    const { subject, data } = aboutItem(item)
    await recordEvents(client, actor, [
      { type: 'board.failed', subject, data: { ...data, fence: item.fence, error } },
    ])
    if (step) await wakeStep(client, actor, step, { type: 'wait_failed', node: step.node, error })
    return step !== undefined
  })
  database.announce()
  if (woken) wake()
}
