import { isId } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { groupBy } from '../extensions/group-by.ts'
import { INCIDENT_COLUMNS, type IncidentRow } from './incident-row.ts'

/** Incidents that are not resolved, by team, newest first, in one read. */
export async function loadOpenIncidentsOfTeams(
  { database, actor }: Context,
  teamIds: readonly string[],
): Promise<ReadonlyMap<string, IncidentRow[]>> {
  const rows = await database.readTenant<IncidentRow>(
    actor,
    `select ${INCIDENT_COLUMNS} from incident
     where organization_id = $1 and team_id = any($2::uuid[]) and status <> 'resolved' order by id desc`,
    [actor.organizationId, teamIds.filter(isId)],
  )
  return groupBy(rows, (row) => row.teamId)
}
