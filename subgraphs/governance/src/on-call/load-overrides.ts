import type { Context } from '../context.ts'
import { groupBy } from '../extensions/group-by.ts'
import { OVERRIDE_COLUMNS, type OverrideRow } from './schedule-row.ts'

/** Overrides that are not over by schedule, oldest first, in one read. */
export async function loadOverrides(
  { database, actor }: Context,
  scheduleIds: readonly string[],
): Promise<ReadonlyMap<string, OverrideRow[]>> {
  const rows = await database.readTenant<OverrideRow>(
    actor,
    `select ${OVERRIDE_COLUMNS} from on_call_override
     where organization_id = $1 and schedule_id = any($2::uuid[]) and ends_at > now() order by id`,
    [actor.organizationId, scheduleIds],
  )
  return groupBy(rows, (row) => row.scheduleId)
}
