import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import type { Services } from '../context.ts'
import { recordEvents } from '../runs/control/record-events.ts'
import { EXTERNAL_TASK_COLUMNS, type ExternalTask, joinsOf, releasedEvent } from './external-task.ts'
import { claimToken, lockWorkerClaim } from './worker-claim.ts'

/**
 * A worker gives its task back, for others: the attempt is the same one. Answers with the task's id. BAD_INPUT;
 * STALE_LEASE when the claim is over; INVALID_STATE when it has answered already.
 */
export async function releaseTask(
  { database, secret }: Pick<Services, 'database' | 'secret'>,
  actor: Actor,
  input: unknown,
): Promise<string> {
  const { token } = parseInput(z.object({ token: claimToken(secret, actor) }), input)
  await database.transact(actor, async (client) => {
    const { held, over } = await lockWorkerClaim(client, actor, token)
    const { item } = held
    if (over) fail('INVALID_STATE', { path: 'input.token', message: `The claim is ${item.status}.` })
    const { rows } = await client.query<ExternalTask>(
      `with i as (
         update board_item set status = 'open', lease_until = null, claimed_by = null, agent_id = null
         where organization_id = $1 and id = $2 returning *
       ) select ${EXTERNAL_TASK_COLUMNS} from i ${joinsOf('i')}`,
      [actor.organizationId, item.id],
    )
    await recordEvents(
      client,
      actor,
      rows.map((task) => releasedEvent(task, item.fence, 'returned')),
    )
  })
  database.announce()
  return token.taskId
}
