import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { type AuditEntryRow, STORED_ENTRY_COLUMNS, type StoredEntry } from './audit-entry-row.ts'
import { AUDIT_FILTER, type AuditFilter, auditFilterValues } from './audit-filter.ts'
import { openEntries } from './open-entries.ts'

/** How many matches of words are looked at in one statement. */
const MATCHES = 2_000

/** One page of the audit trail, newest first; a filter that is absent keeps everything. */
export async function listAuditEntries(
  { database }: DomainServices,
  actor: Actor,
  page: PageArguments & AuditFilter,
): Promise<Connection<AuditEntryRow>> {
  const { take, afterId } = readPage(page)
  const values = auditFilterValues(actor, page)
  if (page.text == null && page.task == null) {
    const rows = await database.readTenant<StoredEntry>(
      actor,
      `select ${STORED_ENTRY_COLUMNS} from audit_entry
       where ${AUDIT_FILTER} and ($13::uuid is null or id < $13) order by id desc limit $14`,
      [...values, afterId, take],
    )
    return connectionOf(await openEntries(database, actor, rows), take)
  }
  // Row-level security keeps the index of words from the role: a function of the definer looks there, and gives ids.
  const [words, task] = [values[11], values[6]]
  const rows: StoredEntry[] = []
  let before: string | null = afterId
  while (rows.length < take) {
    const [found] = await database.readTenant<{ ids: string[] }>(
      actor,
      'select array(select audit_matches($1, $2, $3::uuid, $4, $5, $6)) as ids',
      [words, task, before, page.from ?? null, page.until ?? null, MATCHES],
    )
    const ids = found?.ids ?? []
    rows.push(
      ...(await database.readTenant<StoredEntry>(
        actor,
        `select ${STORED_ENTRY_COLUMNS} from audit_entry
         where ${AUDIT_FILTER} and id = any($13::uuid[]) order by id desc limit $14`,
        [...values, ids, take - rows.length],
      )),
    )
    before = ids.at(-1) ?? null
    if (ids.length < MATCHES) break
  }
  return connectionOf(await openEntries(database, actor, rows), take)
}
