import { isId } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { type AuditEntryRow, STORED_ENTRY_COLUMNS, type StoredEntry } from './audit-entry-row.ts'
import { maySeeSensitive } from './audit-filter.ts'
import { openEntries } from './open-entries.ts'

/** Audit entries by id, in one read; an id that is not of this organization is left out. */
export async function loadAuditEntries(
  { database, actor }: Context,
  ids: readonly string[],
): Promise<ReadonlyMap<string, AuditEntryRow>> {
  const rows = await database.readTenant<StoredEntry>(
    actor,
    `select ${STORED_ENTRY_COLUMNS} from audit_entry where organization_id = $1 and id = any($2::uuid[])
       and ($3 or classification <> 'sensitive')`,
    [actor.organizationId, ids.filter(isId), maySeeSensitive(actor)],
  )
  const entries = await openEntries(database, actor, rows)
  return new Map(entries.map((entry) => [entry.id, entry]))
}
