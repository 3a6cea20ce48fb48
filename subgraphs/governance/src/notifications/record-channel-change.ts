import type { TenantTransaction } from '@tutti/prisma'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { ChannelRow } from './channel-row.ts'

/** What every change of a channel leaves: an event and an entry of the audit trail. */
export async function recordChannelChange(
  tx: TenantTransaction,
  { id, kind, ownerKind, owner, credential }: ChannelRow,
  change: 'set' | 'removed',
): Promise<void> {
  await tx.appendEvent({
    type: 'notification_channel.changed',
    subject: `notificationChannel/${id}`,
    data: { channelId: id, kind, change },
  })
  await writeAuditEntry(tx, {
    actionType: 'decision',
    domain: 'governance',
    summary: `Notification channel (${kind}) of ${ownerKind} ${owner}: ${change}`,
    details: { context: { ownerKind, owner, kind, credential }, decision: change, outcome: change },
    subject: `notificationChannel/${id}`,
  })
}
