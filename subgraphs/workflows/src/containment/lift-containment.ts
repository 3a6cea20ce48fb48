import { type Actor, fail } from '@tutti/schema'
import { actorRecord } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import type { Services } from '../context.ts'
import { readReason } from '../runs/control/read-reason.ts'
import { recordEvents } from '../runs/control/record-events.ts'
import { aboutContainment, CONTAINMENT_COLUMNS, type ContainmentRow } from './containment-row.ts'
import { releaseContained } from './release-contained.ts'

/**
 * Lifts an order: what waited goes on, unless another order or a pause holds it. Lifting a lifted one is no mistake.
 * NOT_FOUND with the path `input.id`.
 */
export async function liftContainment(
  { database, wake }: Pick<Services, 'database' | 'wake'>,
  actor: Actor,
  { id, reason }: { id: string; reason?: string | null | undefined },
): Promise<void> {
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  const why = readReason(reason)
  const order = await database.transact(actor, async (client) => {
    const { rows } = await client.query<ContainmentRow>(
      `select ${CONTAINMENT_COLUMNS} from containment where organization_id = $1 and id = $2 for update`,
      [actor.organizationId, id],
    )
    const order = rows[0] ?? fail('NOT_FOUND', { path: 'input.id' })
    if (order.liftedAt) return order
    await client.query(
      `update containment set lifted_at = clock_timestamp(), lifted_by = $3, lift_reason = $4
       where organization_id = $1 and id = $2`,
      [actor.organizationId, id, JSON.stringify(actorRecord(actor)), why],
    )
    const { subject, data } = aboutContainment(order)
    await recordEvents(client, actor, [
      { type: 'containment.lifted', subject, data: { ...data, reason: why } },
    ])
    return order
  })
  database.announce()
  await releaseContained(database, actor, order)
  wake()
}
