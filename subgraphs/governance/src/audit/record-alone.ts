import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { recordEvent } from './record-event.ts'
import {
  auditEvent,
  auditParameters,
  INSERT_AUDIT_ENTRY,
  type NewAuditEntry,
  type WrittenEntry,
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
  await database.transact(
    actor,
    async (client) => {
      const { rows } = await client.query<WrittenEntry>(INSERT_AUDIT_ENTRY, auditParameters(actor, entry))
      const [row] = rows
      if (!row) throw new Error('An insert answered with no row.')
      await recordEvent(client, actor, auditEvent(row))
    },
    { plan: 'generic' },
  )
  database.announce()
}
