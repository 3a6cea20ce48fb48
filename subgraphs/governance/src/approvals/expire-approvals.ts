import type { TenantTransaction } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { settleEscalations } from '../escalations/settle-escalations.ts'
import { APPROVAL_COLUMNS, type ApprovalRow } from './approval-row.ts'

/**
 * Ends the questions among `ids` whose time has passed undecided; what somebody else ends at this moment is left to
 * them. Output: how many. Events: approval.expired, escalation.resolved. Audit: an execution each.
 */
export async function expireApprovals(
  { database }: DomainServices,
  actor: Actor,
  ids: readonly string[],
): Promise<number> {
  return database.inTenant(actor, async (tx) => {
    const expired = await tx.sql<ApprovalRow>(
      `update approval set status = 'expired'
       where organization_id = $1::uuid and id in (select id from approval
         where organization_id = $1::uuid and id = any($2::uuid[]) and status = 'pending'
           and expires_at <= clock_timestamp() order by id for no key update skip locked)
       returning ${APPROVAL_COLUMNS}`,
      actor.organizationId,
      ids.filter(isId),
    )
    for (const approval of expired) await noteExpiry(tx, approval)
    return expired.length
  })
}

async function noteExpiry(tx: TenantTransaction, approval: ApprovalRow): Promise<void> {
  const { id, runId, taskId, title, action, digest, requestedBy, expiresAt } = approval
  await tx.appendEvent({
    type: 'approval.expired',
    subject: `approval/${id}`,
    data: { approvalId: id, runId, taskId, decision: 'expired' },
  })
  await writeAuditEntry(tx, {
    actionType: 'execution',
    domain: 'governance',
    summary: `Nobody decided in time: ${title}`,
    details: {
      context: { action, digest, runId, requestedBy, expiresAt },
      options_considered: ['approve', 'approve with other arguments', 'reject'],
      decision: 'expired',
      outcome: 'the action is not allowed',
    },
    significance: 'significant',
    subject: `approval/${id}`,
    relatedTasks: taskId === null ? [] : [taskId],
  })
  await settleEscalations(tx, id, 'expired')
}
