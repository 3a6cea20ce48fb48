import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { recordEvent } from './record-event.ts'
import type { StoredEntry } from './audit-entry-row.ts'
import {
  auditEvent,
  INSERT_AUDIT_ENTRY,
  mentioningByIds,
  type NewAuditEntry,
  prepareEntry,
  writtenEntry,
} from './write-audit-entry.ts'

/**
 * Appends an entry about something that left nothing else behind: a denial, or a failure after its rollback. In a
 * transaction of its own, on plain pg, at a tenth of Prisma's cost, since anybody can cause many. Throws when it could
 * not, and then the call has to fail. Events: audit.recorded.
 */
export async function recordAlone(
  { database }: DomainServices,
  actor: Actor,
  entry: NewAuditEntry,
): Promise<void> {
  const { parameters, text } = await prepareEntry(database.subjectKeys, actor, mentioningByIds(entry))
  await database.transact(
    actor,
    async (client) => {
      const { rows } = await client.query<StoredEntry>(INSERT_AUDIT_ENTRY, parameters)
      const [row] = rows
      if (!row) throw new Error('An insert answered with no row.')
      await recordEvent(client, actor, auditEvent(writtenEntry(row, text)))
    },
    { plan: 'generic' },
  )
  database.announce()
}
