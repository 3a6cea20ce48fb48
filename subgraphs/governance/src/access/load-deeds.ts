import type { Context } from '../context.ts'
import { type AuditEntryRow, STORED_ENTRY_COLUMNS, type StoredEntry } from '../audit/audit-entry-row.ts'
import { openEntries } from '../audit/open-entries.ts'

const MOST = 200

/** What the audit trail has of whoever broke the glass while it lasted, in order: the first 200 of each use, by its id. */
export async function loadDeeds(
  { database, actor }: Context,
  ids: readonly string[],
): Promise<ReadonlyMap<string, AuditEntryRow[]>> {
  const rows = await database.readTenant<StoredEntry & { breakGlassId: string }>(
    actor,
    `select b.id as "breakGlassId", e.* from break_glass b
     join role_assignment a on a.organization_id = b.organization_id and a.id = b.assignment_id
     cross join lateral (select ${STORED_ENTRY_COLUMNS} from audit_entry
       where organization_id = b.organization_id and actor_id = b.principal_id::text
         and timestamp >= b.started_at - interval '1 millisecond' and timestamp <= least(a.expires_at, a.revoked_at)
         and id > uuidv7(b.started_at - clock_timestamp() - interval '1 minute')
       order by id limit $3) e
     where b.organization_id = $1 and b.id = any($2::uuid[]) order by e.id`,
    [actor.organizationId, ids, MOST],
  )
  const deeds = new Map<string, AuditEntryRow[]>(ids.map((id) => [id, []]))
  const entries = await openEntries(database, actor, rows)
  for (const [index, entry] of entries.entries()) deeds.get(rows[index]?.breakGlassId ?? '')?.push(entry)
  return deeds
}
