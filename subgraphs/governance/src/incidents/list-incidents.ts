import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { INCIDENT_COLUMNS, type IncidentRow } from './incident-row.ts'
import type { IncidentStatus } from './incident-status.ts'

/** One page of incidents, newest first. */
export async function listIncidents(
  { database }: DomainServices,
  actor: Actor,
  page: PageArguments & { status?: IncidentStatus | undefined },
): Promise<Connection<IncidentRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<IncidentRow>(
    actor,
    `select ${INCIDENT_COLUMNS} from incident
     where organization_id = $1 and ($2::uuid is null or id < $2) and ($3::text is null or status = $3)
     order by id desc limit $4`,
    [actor.organizationId, afterId, page.status ?? null, take],
  )
  return connectionOf(rows, take)
}
