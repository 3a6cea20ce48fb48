import type { TenantTransaction } from '@tutti/prisma'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { IncidentRow } from './incident-row.ts'
import { writeIncidentEntry } from './write-incident-entry.ts'

/** What every change of an incident leaves: a line of its timeline, an event, an entry of the audit trail. */
export async function recordIncidentChange(
  tx: TenantTransaction,
  { id, severity, title }: IncidentRow,
  change: 'acknowledged' | 'resolved',
  text: string,
): Promise<void> {
  await writeIncidentEntry(tx, { incidentId: id, kind: change, text })
  await tx.appendEvent({
    type: `incident.${change}`,
    subject: `incident/${id}`,
    data: { incidentId: id, severity },
  })
  await writeAuditEntry(tx, {
    actionType: 'execution',
    domain: 'governance',
    summary: `Incident ${change} (${severity}): ${title}`,
    details: { reasoning: text, outcome: change },
    subject: `incident/${id}`,
  })
}
