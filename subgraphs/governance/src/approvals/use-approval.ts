import { isId, parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import { recordDenial } from '../audit/record-denial.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { line } from '../input/text.ts'
import { APPROVAL_COLUMNS, type ApprovalRow } from './approval-row.ts'
import { isApproved } from './approval-status.ts'
import { digestOf } from './digest-of.ts'
import { hasLostDecider } from './has-lost-decider.ts'

const inputSchema = z.object({
  approvalId: z.string(),
  /** Of the action and the arguments that are about to be used. */
  digest: line(),
  /** Who uses it, as a task's id: the same one may ask again. */
  by: line(),
})

export type UseApprovalInput = z.input<typeof inputSchema>

/** Whether what was approved may be done now; `repeated`: the same user was told so before. */
export type Use =
  | { allowed: true; arguments: unknown; repeated: boolean }
  | {
      allowed: false
      /** `decider_lost`: whoever said yes could not say it any more; it is void then, and may be asked anew. */
      reason: 'not_found' | 'not_approved' | 'digest_differs' | 'used_already' | 'decider_lost'
    }

/**
 * Uses up an approval: yes once, for exactly what was approved (with the decider's arguments when there are any), to one
 * user, as long as whoever said yes could still say it. Events: approval.used. Audit: the use; a refusal as a denial.
 */
export async function useApproval(
  services: DomainServices,
  actor: Actor,
  input: UseApprovalInput,
): Promise<Use> {
  const { approvalId, digest, by } = parseInput(inputSchema, input)
  const use = await services.database.inTenant(actor, async (tx): Promise<Use> => {
    const [approval] = isId(approvalId)
      ? await tx.sql<ApprovalRow>(
          `select ${APPROVAL_COLUMNS} from approval
           where organization_id = $1::uuid and id = $2::uuid for no key update`,
          actor.organizationId,
          approvalId,
        )
      : []
    if (!approval) return { allowed: false, reason: 'not_found' }
    const judged = judgeUse(approval, digest, by)
    if (!judged.allowed || judged.repeated) return judged
    const isVoid = await hasLostDecider(tx, approval)
    await tx.sql(
      `update approval set used_by = $3, used_at = now() where organization_id = $1::uuid and id = $2::uuid returning id`,
      actor.organizationId,
      approvalId,
      isVoid ? `void/${by}` : by,
    )
    if (isVoid) return { allowed: false, reason: 'decider_lost' }
    const { runId, taskId, title, action } = approval
    await tx.appendEvent({
      type: 'approval.used',
      subject: `approval/${approvalId}`,
      data: { approvalId, runId, taskId, digest, usedBy: by },
    })
    await writeAuditEntry(tx, {
      actionType: 'execution',
      domain: 'governance',
      summary: `Done as approved: ${title}`,
      details: { context: { action, digest, runId, usedBy: by }, outcome: 'used' },
      significance: 'significant',
      subject: `approval/${approvalId}`,
      relatedTasks: taskId === null ? [] : [taskId],
    })
    return judged
  })
  if (!use.allowed)
    await recordDenial(services, actor, {
      action: 'approval.use',
      code: use.reason.toUpperCase(),
      reason: `approval/${approvalId} for ${by}`,
    })
  return use
}

/** The arguments that may be used: the decider's when there are any, else those asked for. */
export const approvedArguments = (approval: Pick<ApprovalRow, 'arguments' | 'finalArguments'>): unknown =>
  approval.finalArguments ?? approval.arguments

/** The digest of what was approved; null before that. */
export const approvedDigest = (approval: ApprovalRow): string | null =>
  isApproved(approval) ? digestOf({ action: approval.action, arguments: approvedArguments(approval) }) : null

function judgeUse(approval: ApprovalRow, digest: string, by: string): Use {
  if (!isApproved(approval)) return { allowed: false, reason: 'not_approved' }
  if (approvedDigest(approval) !== digest) return { allowed: false, reason: 'digest_differs' }
  if (approval.usedBy !== null && approval.usedBy !== by) return { allowed: false, reason: 'used_already' }
  return { allowed: true, arguments: approvedArguments(approval), repeated: approval.usedBy === by }
}
