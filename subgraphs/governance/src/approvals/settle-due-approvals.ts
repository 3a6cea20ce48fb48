import type { TenantTransaction } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { actorRef } from '../access/actor-ref.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { settleEscalations } from '../escalations/settle-escalations.ts'
import { applyEffect } from './apply-effect.ts'
import { APPROVAL_COLUMNS, type ApprovalRow } from './approval-row.ts'
import { afterStage, wantsChanges } from './approval-status.ts'
import { escalateStage } from './escalate-stage.ts'
import { writeDecision } from './write-decision.ts'

/**
 * Does what time asks of the approvals among `ids`, by the database's clock: a reminder, or at a deadline what its stage
 * says. What somebody else changes at this moment is left to them. Output: how many. Events: approval.reminded,
 * approval.expired, approval.escalated, or those of a decision; escalation.opened, escalation.resolved. Audit: an entry each.
 */
export async function settleDueApprovals(
  { database }: DomainServices,
  actor: Actor,
  ids: readonly string[],
): Promise<number> {
  return database.inTenant(actor, async (tx) => {
    const due = await tx.sql<ApprovalRow>(
      `select ${APPROVAL_COLUMNS} from approval
       where organization_id = $1::uuid and id = any($2::uuid[]) and status in ('pending', 'changes_requested')
         and least(expires_at, remind_at) <= clock_timestamp() order by id for no key update skip locked`,
      actor.organizationId,
      ids.filter(isId),
    )
    for (const approval of due) await settle(tx, approval)
    return due.length
  })
}

async function settle(tx: TenantTransaction, approval: ApprovalRow): Promise<void> {
  if (!approval.isDue) return remind(tx, approval)
  if (approval.onDeadline === 'expire') return expire(tx, approval)
  if (approval.onDeadline === 'escalate') return escalate(tx, approval)
  const verdict = approval.onDeadline === 'approve' ? ('approved' as const) : ('rejected' as const)
  const decision = { verdict, comment: `${lateness(approval)}.`, finalArguments: null }
  await writeDecision(tx, approval, { ...decision, personId: null, onBehalfOfId: null, namedBy: null })
  await applyEffect(tx, approval, verdict === 'approved' ? afterStage(approval) : { kind: 'end', verdict }, {
    ...decision,
    decidedBy: actorRef(tx.actor),
    onBehalfOf: null,
    byLink: null,
  })
}

const lateness = (approval: ApprovalRow): string =>
  wantsChanges(approval) ? 'Nobody asked anew in time' : 'Nobody decided in time'

async function remind(tx: TenantTransaction, approval: ApprovalRow): Promise<void> {
  const { id, runId, taskId, stage, expiresAt } = approval
  await tx.sql(
    `update approval set remind_at = null where organization_id = $1::uuid and id = $2::uuid returning id`,
    tx.actor.organizationId,
    id,
  )
  await tx.appendEvent({
    type: 'approval.reminded',
    subject: `approval/${id}`,
    data: { approvalId: id, runId, taskId, stage, expiresAt: expiresAt?.toISOString() ?? '' },
  })
}

/** Administrators may decide as well, in as much time again; then it expires. */
async function escalate(tx: TenantTransaction, approval: ApprovalRow): Promise<void> {
  const { id, stage, stages } = approval
  const name = stages[stage]?.name ?? ''
  await tx.sql(
    `update approval set on_deadline = 'expire', remind_at = null,
       expires_at = least(closes_at, clock_timestamp() + make_interval(secs => $3::float8)),
       stages = jsonb_set(stages, array[stage::text, 'roles'],
         ((stages->stage->'roles') - 'admin') || '["admin"]'::jsonb)
     where organization_id = $1::uuid and id = $2::uuid returning id`,
    tx.actor.organizationId,
    id,
    stages[stage]?.deadlineSeconds ?? null,
  )
  await escalateStage(tx, approval, {
    key: '',
    title: lateness(approval),
    reason: `The deadline of stage "${name}" passed.`,
  })
}

async function expire(tx: TenantTransaction, approval: ApprovalRow): Promise<void> {
  const { id, runId, taskId, title, action, digest, requestedBy, expiresAt } = approval
  await tx.sql(
    `update approval set status = 'expired', remind_at = null
     where organization_id = $1::uuid and id = $2::uuid returning id`,
    tx.actor.organizationId,
    id,
  )
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
      options_considered: ['approve', 'approve with other arguments', 'reject', 'ask for changes'],
      decision: 'expired',
      outcome: 'the action is not allowed',
    },
    significance: 'significant',
    subject: `approval/${id}`,
    relatedTasks: taskId === null ? [] : [taskId],
  })
  await settleEscalations(tx, id, 'expired')
}
