import type { TenantTransaction } from '@tutti/prisma'
import type { EventData } from '@tutti/schema'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'

/** What every change of who is on call leaves: an event and an entry of the audit trail. */
export async function recordOnCallChange(
  tx: TenantTransaction,
  { id, name }: { id: string; name: string },
  change: EventData<'on_call.changed'>['change'],
  context: Record<string, unknown>,
  overrideId: string | null = null,
): Promise<void> {
  await tx.appendEvent({
    type: 'on_call.changed',
    subject: `onCallSchedule/${id}`,
    data: { scheduleId: id, name, change, overrideId },
  })
  await writeAuditEntry(tx, {
    actionType: 'decision',
    domain: 'governance',
    summary: `On-call schedule ${name}: ${change}`,
    details: { context, decision: change, outcome: change },
    significance: 'significant',
    subject: `onCallSchedule/${id}`,
  })
}
