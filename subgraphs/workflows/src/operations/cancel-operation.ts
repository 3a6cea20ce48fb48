import { type Actor, fail } from '@tutti/schema'
import { actorRecord } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import type { Services } from '../context.ts'
import { readReason } from '../runs/control/read-reason.ts'
import { recordEvents } from '../runs/control/record-events.ts'
import { aboutOperation, OPERATION_COLUMNS, type OperationRow } from './operation-row.ts'

/**
 * Stops an operation where it is: what was done stays done. Stopping a stopped one is no mistake. NOT_FOUND;
 * INVALID_STATE when it has ended.
 */
export async function cancelOperation(
  { database }: Pick<Services, 'database'>,
  actor: Actor,
  { id, reason }: { id: string; reason?: string | null | undefined },
): Promise<void> {
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  const why = readReason(reason)
  await database.transact(actor, async (client) => {
    const { rows } = await client.query<OperationRow>(
      `select ${OPERATION_COLUMNS} from operation where organization_id = $1 and id = $2 for update`,
      [actor.organizationId, id],
    )
    const operation = rows[0] ?? fail('NOT_FOUND', { path: 'input.id' })
    if (operation.status === 'cancelled') return
    if (operation.status === 'completed')
      fail('INVALID_STATE', { path: 'input.id', message: 'The operation is completed.' })
    await client.query(
      `update operation set status = 'cancelled', ended_by = $3, ended_at = clock_timestamp(), updated_at = clock_timestamp()
       where organization_id = $1 and id = $2`,
      [actor.organizationId, id, JSON.stringify(actorRecord(actor))],
    )
    const { subject, data } = aboutOperation(operation)
    const { done, failed } = operation
    await recordEvents(client, actor, [
      { type: 'operation.cancelled', subject, data: { ...data, done, failed, reason: why } },
    ])
  })
  database.announce()
}
