import type { Context } from '../context.ts'
import { groupBy } from '../extensions/group-by.ts'
import { INCIDENT_ENTRY_COLUMNS, type IncidentEntryRow } from './incident-row.ts'

/** Timelines by incident, oldest line first, in one read. */
export async function loadTimelines(
  { database, actor }: Context,
  incidentIds: readonly string[],
): Promise<ReadonlyMap<string, IncidentEntryRow[]>> {
  const rows = await database.readTenant<IncidentEntryRow>(
    actor,
    `select ${INCIDENT_ENTRY_COLUMNS} from incident_entry
     where organization_id = $1 and incident_id = any($2::uuid[]) order by created_at, id`,
    [actor.organizationId, incidentIds],
  )
  return groupBy(rows, (row) => row.incidentId)
}
