import type { TenantTransaction } from '@tutti/prisma'
import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { actorRef } from '../access/actor-ref.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { settleEscalations } from '../escalations/settle-escalations.ts'
import { jsonValue } from '../input/json-value.ts'
import { line, remark } from '../input/text.ts'
import { APPROVAL_COLUMNS, type ApprovalRow } from './approval-row.ts'
import { judgeDecision, type Verdict } from './approval-status.ts'

const inputSchema = z
  .object({
    id: z.string(),
    decision: z.enum(['APPROVE', 'REJECT']),
    digest: line().nullish(),
    comment: remark().nullish(),
    finalArguments: jsonValue().nullish(),
  })
  .refine(({ decision, finalArguments }) => decision === 'APPROVE' || finalArguments == null, {
    path: ['finalArguments'],
    message: 'Only a yes has arguments.',
  })

/**
 * Decides an approval, once, however many click: the row's lock lets one through, the rest meet its outcome.
 *
 * Output: the approval after the decision. Events: approval.decided, escalation.resolved. Audit: the decision.
 * Errors: NOT_FOUND, SEPARATION_OF_DUTIES, CONFLICT (another digest), ALREADY_DECIDED, INVALID_STATE (expired, withdrawn).
 */
export async function decideApproval(
  { database }: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<ApprovalRow> {
  const { id, decision, digest, comment, finalArguments } = parseInput(inputSchema, input)
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  const request = {
    verdict: decision === 'APPROVE' ? ('approved' as const) : ('rejected' as const),
    digest: digest ?? null,
    finalArguments: finalArguments ?? null,
  }
  return database.inTenant(actor, async (tx) => {
    const approval = await lockApproval(tx, id)
    const judgement = judgeDecision(approval, actor, request)
    if (judgement.kind === 'refuse') fail(judgement.code, judgement)
    if (judgement.kind === 'repeat') return approval
    const decided = await writeDecision(tx, id, { ...request, comment: comment ?? null })
    await tx.appendEvent({
      type: 'approval.decided',
      subject: `approval/${id}`,
      data: {
        approvalId: id,
        runId: decided.runId,
        taskId: decided.taskId,
        decision: request.verdict,
        decidedBy: actor.id,
      },
    })
    await writeAuditEntry(tx, decisionEntry(decided, request.verdict))
    await settleEscalations(tx, id, request.verdict)
    return decided
  })
}

async function lockApproval(tx: TenantTransaction, id: string): Promise<ApprovalRow> {
  const [approval] = await tx.sql<ApprovalRow>(
    `select ${APPROVAL_COLUMNS} from approval where organization_id = $1::uuid and id = $2::uuid for no key update`,
    tx.actor.organizationId,
    id,
  )
  return approval ?? fail('NOT_FOUND', { path: 'input.id' })
}

async function writeDecision(
  tx: TenantTransaction,
  id: string,
  decision: { verdict: Verdict; comment: string | null; finalArguments: unknown },
): Promise<ApprovalRow> {
  const [decided] = await tx.sql<ApprovalRow>(
    `update approval set status = $3, decided_by = $4::jsonb, decided_at = now(), comment = $5, final_arguments = $6::jsonb
     where organization_id = $1::uuid and id = $2::uuid returning ${APPROVAL_COLUMNS}`,
    tx.actor.organizationId,
    id,
    decision.verdict,
    JSON.stringify(actorRef(tx.actor)),
    decision.comment,
    decision.finalArguments === null ? null : JSON.stringify(decision.finalArguments),
  )
  return decided ?? fail('NOT_FOUND', { path: 'input.id' })
}

function decisionEntry(approval: ApprovalRow, verdict: Verdict) {
  const { id, title, action, digest, runId, requestedBy, taskId, comment, finalArguments } = approval
  return {
    actionType: 'decision' as const,
    domain: 'governance',
    summary: `${verdict === 'approved' ? 'Approved' : 'Rejected'}: ${title}`,
    details: {
      context: { action, digest, runId, requestedBy, asked: approval.reason },
      options_considered: ['approve', 'approve with other arguments', 'reject'],
      decision: verdict,
      reasoning: comment ?? '',
      outcome:
        verdict === 'rejected'
          ? 'the action is refused'
          : finalArguments === null
            ? 'the action may be done as asked'
            : 'the action may be done with other arguments',
    },
    significance: 'significant' as const,
    subject: `approval/${id}`,
    relatedTasks: taskId === null ? [] : [taskId],
  }
}
