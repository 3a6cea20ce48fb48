import { isId } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { EXPORT_COLUMNS, type ExportRow } from './export-row.ts'

/**
 * Ends an export before its file is whole: what a worker is writing is its last part, and none is given out any more.
 * Cancelled before: it stays as it was. NOT_FOUND, INVALID_STATE when it is whole. Events: audit.export_cancelled. Audit:
 * an entry.
 */
export async function cancelAuditExport(
  { database }: DomainServices,
  actor: Actor,
  { id }: { id: string },
): Promise<ExportRow> {
  const missing = () => fail('NOT_FOUND', { path: 'input.id', message: 'There is no such export.' })
  if (!isId(id)) return missing()
  return database.inTenant(actor, async (tx) => {
    const [before] = await tx.sql<ExportRow>(
      `select ${EXPORT_COLUMNS} from audit_export where organization_id = $1::uuid and id = $2::uuid for update`,
      actor.organizationId,
      id,
    )
    if (!before) return missing()
    if (before.status === 'cancelled') return before
    if (before.status === 'completed')
      return fail('INVALID_STATE', {
        path: 'input.id',
        message: 'Its file is whole.',
        hint: 'It is taken away by itself, a week after its end.',
      })
    const [row] = await tx.sql<ExportRow>(
      `update audit_export set status = 'cancelled', ended_at = clock_timestamp()
       where organization_id = $1::uuid and id = $2::uuid returning ${EXPORT_COLUMNS}`,
      actor.organizationId,
      id,
    )
    if (!row) return missing()
    await tx.appendEvent({
      type: 'audit.export_cancelled',
      subject: `audit_export/${id}`,
      data: { exportId: id, written: Number(row.written) },
    })
    await writeAuditEntry(tx, {
      actionType: 'execution',
      domain: 'audit',
      summary: `${actor.name} cancelled an export of ${row.verifiable ? 'the record' : 'the audit trail'}.`,
      details: { context: { written: Number(row.written) }, outcome: 'cancelled' },
      significance: 'compliance',
      subject: `audit_export/${id}`,
    })
    return row
  })
}
