import type { SqlTransaction } from '@tutti/prisma'
import { fail } from '@tutti/schema'
import type { ActorRef } from '../access/actor-ref.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import { settleEscalations } from '../escalations/settle-escalations.ts'
import { APPROVAL_COLUMNS, type ApprovalRow } from './approval-row.ts'
import type { Effect, Verdict } from './approval-status.ts'
import { enterStage } from './enter-stage.ts'
import { openToAdministrators } from './open-to-administrators.ts'

/** Who decided, as it is recorded. */
interface Decided {
  decidedBy: ActorRef
  onBehalfOf: ActorRef | null
  comment: string | null
  finalArguments: unknown
  /** The id of the link by which it was decided; null: by none. */
  byLink: string | null
}

/**
 * Does what a recorded decision does to its locked approval. Output: the approval after it. Events: one of
 * approval.endorsed, approval.changes_requested, approval.decided; escalation.resolved. Audit: the decision.
 */
export async function applyEffect(
  tx: SqlTransaction,
  approval: ApprovalRow,
  effect: Effect,
  decided: Decided,
): Promise<ApprovalRow> {
  const { id, runId, taskId, stage, round } = approval
  const about = {
    approvalId: id,
    runId,
    taskId,
    decidedBy: decided.decidedBy.id,
    ...(decided.onBehalfOf ? { onBehalfOf: decided.onBehalfOf.id } : {}),
  }
  const subject = `approval/${id}`
  if (effect.kind !== 'end')
    await tx.appendEvent({
      type: 'approval.endorsed',
      subject,
      data: { ...about, stage, round, stageDone: effect.kind === 'advance' },
    })
  else if (effect.verdict === 'changes_requested')
    await tx.appendEvent({ type: 'approval.changes_requested', subject, data: { ...about, round } })
  else
    await tx.appendEvent({ type: 'approval.decided', subject, data: { ...about, decision: effect.verdict } })
  const [after] = await Promise.all([
    write(tx, approval, effect, decided),
    writeAuditEntry(tx, decisionEntry(approval, effect, decided)),
    effect.kind === 'end' && effect.verdict !== 'changes_requested'
      ? settleEscalations(tx, id, effect.verdict)
      : undefined,
  ])
  return after
}

async function write(
  tx: SqlTransaction,
  approval: ApprovalRow,
  effect: Effect,
  decided: Decided,
): Promise<ApprovalRow> {
  // Two took part by one yes: who lent their right, and who has it.
  if (effect.kind === 'count') return decided.onBehalfOf ? openToAdministrators(tx, approval) : approval
  if (effect.kind === 'advance') return enterStage(tx, approval, effect.stage)
  if (effect.verdict === 'changes_requested') {
    // Its stage's clock goes on while it is with who asked. Time alone does not approve what somebody did not.
    const [back] = await tx.sql<ApprovalRow>(
      `update approval set status = 'changes_requested', comment = $3, remind_at = null,
         on_deadline = case on_deadline when 'approve' then 'expire' else on_deadline end
       where organization_id = $1::uuid and id = $2::uuid returning ${APPROVAL_COLUMNS}`,
      tx.actor.organizationId,
      approval.id,
      decided.comment,
    )
    return back ?? fail('NOT_FOUND', { path: 'input.id' })
  }
  const [ended] = await tx.sql<Pick<ApprovalRow, 'decidedAt' | 'finalArguments'>>(
    `update approval set status = $3, decided_by = $4::jsonb, decided_at = now(), comment = $5, final_arguments = $6::jsonb,
       remind_at = null
     where organization_id = $1::uuid and id = $2::uuid
     returning decided_at as "decidedAt", final_arguments as "finalArguments"`,
    tx.actor.organizationId,
    approval.id,
    effect.verdict,
    JSON.stringify(decided.decidedBy),
    decided.comment,
    decided.finalArguments === null ? null : JSON.stringify(decided.finalArguments),
  )
  if (!ended) fail('NOT_FOUND', { path: 'input.id' })
  const { decidedBy, comment } = decided
  return { ...approval, ...ended, status: effect.verdict, isDue: false, decidedBy, comment }
}

const SAID: Record<Verdict, string> = {
  approved: 'Approved',
  rejected: 'Rejected',
  changes_requested: 'Changes asked for',
}

function decisionEntry(approval: ApprovalRow, effect: Effect, decided: Decided) {
  const { id, title, action, digest, runId, requestedBy, taskId, stages, stage, round } = approval
  const verdict = effect.kind === 'end' ? effect.verdict : 'approved'
  return {
    actionType: 'decision' as const,
    domain: 'governance',
    summary: `${SAID[verdict]}: ${title}`,
    details: {
      context: {
        action,
        digest,
        runId,
        requestedBy,
        asked: approval.reason,
        stage: stages[stage]?.name ?? null,
        round,
        ...(decided.onBehalfOf ? { onBehalfOf: decided.onBehalfOf } : {}),
        ...(decided.byLink === null ? {} : { byLink: decided.byLink }),
      },
      options_considered: ['approve', 'approve with other arguments', 'reject', 'ask for changes'],
      decision: verdict,
      reasoning: decided.comment ?? '',
      outcome: outcomeOf(effect, decided),
    },
    significance: 'significant' as const,
    subject: `approval/${id}`,
    relatedTasks: taskId === null ? [] : [taskId],
  }
}

function outcomeOf(effect: Effect, { finalArguments }: Decided): string {
  if (effect.kind === 'count') return 'its stage needs more'
  if (effect.kind === 'advance') return 'its stage is done'
  if (effect.verdict === 'rejected') return 'the action is refused'
  if (effect.verdict === 'changes_requested') return 'it goes back to who asked'
  return finalArguments === null
    ? 'the action may be done as asked'
    : 'the action may be done with other arguments'
}
