import { isId } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { INCIDENT_COLUMNS, type IncidentRow } from './incident-row.ts'

/** Incidents by id, in one read; an id that is not of this organization is left out. */
export async function loadIncidents(
  { database, actor }: Context,
  ids: readonly string[],
): Promise<ReadonlyMap<string, IncidentRow>> {
  const rows = await database.readTenant<IncidentRow>(
    actor,
    `select ${INCIDENT_COLUMNS} from incident where organization_id = $1 and id = any($2::uuid[])`,
    [actor.organizationId, ids.filter(isId)],
  )
  return new Map(rows.map((row) => [row.id, row]))
}
