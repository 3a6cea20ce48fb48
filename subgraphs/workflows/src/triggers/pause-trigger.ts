import type { Actor } from '@tutti/schema'
import type { Services } from '../context.ts'
import { lockTrigger, tellChange } from './lock-trigger.ts'
import { nextTime } from './next-time.ts'
import { TRIGGER_COLUMNS, type TriggerRow } from './trigger-row.ts'

/** Keeps a trigger from firing; a firing whose run is about to be started goes on. Again is no mistake. NOT_FOUND. */
export async function pauseTrigger(
  { database }: Pick<Services, 'database'>,
  actor: Actor,
  id: string,
): Promise<TriggerRow> {
  return setStatus(database, actor, id, 'paused')
}

/** Lets a trigger fire again, at what happens from now on. Again is no mistake. NOT_FOUND. */
export async function resumeTrigger(
  { database }: Pick<Services, 'database'>,
  actor: Actor,
  id: string,
): Promise<TriggerRow> {
  return setStatus(database, actor, id, 'active')
}

/** Events: trigger.changed, unless nothing changes. */
function setStatus(
  database: Services['database'],
  actor: Actor,
  id: string,
  status: TriggerRow['status'],
): Promise<TriggerRow> {
  return database.inTenant(actor, async (tx) => {
    const row = await lockTrigger(tx, id)
    if (row.status === status) return row
    const [changed] = await tx.sql<TriggerRow>(
      `update trigger as t set status = $3, next_at = $4::timestamptz, updated_at = clock_timestamp(),
         active_from = case when $3 = 'active' then clock_timestamp() else t.active_from end
       where t.organization_id = $1::uuid and t.id = $2::uuid returning ${TRIGGER_COLUMNS}`,
      actor.organizationId,
      id,
      status,
      status === 'active' ? await nextTime(tx, row) : null,
    )
    await tellChange(tx, row, status === 'active' ? 'resumed' : 'paused')
    return changed ?? row
  })
}
