import { type Actor, fail } from '@tutti/schema'
import type { Services } from '../context.ts'
import { recordEvents } from '../runs/control/record-events.ts'
import { aboutItem } from './board-item.ts'
import { type Claim, lockClaim } from './end-claim.ts'

/** Gives a claimed item back, for others. As {@link lockClaim} otherwise; INVALID_STATE when it is over. */
export async function releaseBoardItem(
  { database }: Pick<Services, 'database'>,
  actor: Actor,
  claim: Claim,
): Promise<void> {
  await database.transact(actor, async (client) => {
    const { held, over } = await lockClaim(client, actor, claim)
    const { item } = held
    if (over) fail('INVALID_STATE', { path: 'input.id', message: `The item is ${item.status}.` })
    await client.query(
      `update board_item set status = 'open', lease_until = null, claimed_by = null, agent_id = null
       where organization_id = $1 and id = $2`,
      [actor.organizationId, item.id],
    )
    const { subject, data } = aboutItem(item)
    await recordEvents(client, actor, [
      { type: 'board.released', subject, data: { ...data, fence: item.fence, cause: 'returned' } },
    ])
  })
  database.announce()
}
