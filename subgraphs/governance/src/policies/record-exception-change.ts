import type { TenantTransaction } from '@tutti/prisma'
import type { EventData } from '@tutti/schema'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { PolicyExceptionRow, PolicyRow } from './policy-row.ts'

/** What every change of an exception leaves: an event and an entry of the audit trail. */
export async function recordExceptionChange(
  tx: TenantTransaction,
  { id: policyId, name }: PolicyRow,
  { id, version, reason, actors, actions, resources, expiresAt }: PolicyExceptionRow,
  change: EventData<'policy_exception.changed'>['change'],
  reasoning = reason,
): Promise<void> {
  await tx.appendEvent({
    type: 'policy_exception.changed',
    subject: `policy/${policyId}`,
    data: { policyId, name, exceptionId: id, change },
  })
  await writeAuditEntry(tx, {
    actionType: 'decision',
    domain: 'governance',
    summary: `Exception to policy ${name}, version ${version}: ${change}`,
    details: {
      context: { exceptionId: id, version, reason, actors, actions, resources, expiresAt },
      decision: change,
      reasoning,
      outcome: change,
    },
    significance: 'compliance',
    subject: `policy/${policyId}`,
  })
}
