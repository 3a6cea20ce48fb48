import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { ESCALATION_COLUMNS, type EscalationRow } from './escalation-row.ts'
import type { EscalationStatus } from './escalation-status.ts'

/** One page of escalations, oldest first. */
export async function listEscalations(
  { database }: DomainServices,
  actor: Actor,
  page: PageArguments & { status?: EscalationStatus | undefined },
): Promise<Connection<EscalationRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<EscalationRow>(
    actor,
    `select ${ESCALATION_COLUMNS} from escalation
     where organization_id = $1 and ($2::uuid is null or id > $2) and ($3::text is null or status = $3)
     order by id limit $4`,
    [actor.organizationId, afterId, page.status ?? null, take],
  )
  return connectionOf(rows, take)
}
