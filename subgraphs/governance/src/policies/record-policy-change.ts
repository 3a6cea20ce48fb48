import type { TenantTransaction } from '@tutti/prisma'
import type { EventData } from '@tutti/schema'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { PolicyRow, PolicyVersionRow } from './policy-row.ts'

/** What every change of a policy leaves: an event and an entry of the audit trail. */
export async function recordPolicyChange(
  tx: TenantTransaction,
  { id, name, kind }: PolicyRow,
  { number, retires, actions, condition, effect, priority, effectiveFrom, effectiveUntil }: PolicyVersionRow,
  change: EventData<'policy.changed'>['change'],
  reasoning = '',
): Promise<void> {
  await tx.appendEvent({
    type: 'policy.changed',
    subject: `policy/${id}`,
    data: { policyId: id, name, version: number, change },
  })
  await writeAuditEntry(tx, {
    actionType: 'decision',
    domain: 'governance',
    summary: `Policy ${name}, version ${number}${retires ? ' (that it holds no more)' : ''}: ${change}`,
    details: {
      context: {
        version: number,
        retires,
        kind,
        actions,
        condition,
        effect,
        priority,
        effectiveFrom: effectiveFrom?.toISOString() ?? null,
        effectiveUntil: effectiveUntil?.toISOString() ?? null,
      },
      decision: change,
      reasoning,
      outcome: change,
    },
    significance: 'compliance',
    subject: `policy/${id}`,
  })
}
