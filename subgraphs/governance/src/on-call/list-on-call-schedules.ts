import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { SCHEDULE_COLUMNS, type ScheduleRow } from './schedule-row.ts'

/** One page of on-call schedules, oldest first. */
export async function listOnCallSchedules(
  { database }: DomainServices,
  actor: Actor,
  page: PageArguments,
): Promise<Connection<ScheduleRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<ScheduleRow>(
    actor,
    `select ${SCHEDULE_COLUMNS} from on_call_schedule
     where organization_id = $1 and ($2::uuid is null or id > $2) order by id limit $3`,
    [actor.organizationId, afterId, take],
  )
  return connectionOf(rows, take)
}
