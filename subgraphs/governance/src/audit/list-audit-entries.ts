import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { AUDIT_ENTRY_COLUMNS, type AuditEntryRow } from './audit-entry-row.ts'

/** One page of the audit trail, newest first; a filter that is absent keeps everything. */
export async function listAuditEntries(
  { database }: DomainServices,
  actor: Actor,
  page: PageArguments & { subject?: string | null | undefined; actionType?: string | null | undefined },
): Promise<Connection<AuditEntryRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<AuditEntryRow>(
    actor,
    `select ${AUDIT_ENTRY_COLUMNS} from audit_entry
     where organization_id = $1 and ($2::uuid is null or id < $2) and ($3::text is null or subject = $3)
       and ($4::text is null or action_type = $4)
     order by id desc limit $5`,
    [actor.organizationId, afterId, withoutNul(page.subject), withoutNul(page.actionType), take],
  )
  return connectionOf(rows, take)
}

/** No subject holds a NUL, and PostgreSQL refuses to compare with one. */
const withoutNul = (filter: string | null | undefined): string | null =>
  filter?.replaceAll('\0', '\u{FFFD}') ?? null
