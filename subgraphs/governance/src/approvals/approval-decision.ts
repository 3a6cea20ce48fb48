import { isId } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { APPROVAL_COLUMNS, type ApprovalRow } from './approval-row.ts'

/** How an approval ended, as the task that waited for it wants to know. */
export interface ApprovalDecision {
  approvalId: string
  decision: 'approved' | 'rejected' | 'expired'
  /** The decider's name; nobody's of an expired one. */
  decidedBy: string
  comment: string | null
  /** Those that were allowed: the decider's when there are any, else those asked for. */
  arguments: unknown
}

/** The end of an approval; null while it is open, when it was withdrawn, and when it is not one of this organization. */
export async function approvalDecision(
  services: DomainServices,
  actor: Actor,
  approvalId: string,
): Promise<ApprovalDecision | null> {
  const [decision] = await approvalDecisions(services, actor, [approvalId])
  return decision ?? null
}

/** The ends of those among the approvals that have one, as {@link approvalDecision} tells them, in one read. */
export async function approvalDecisions(
  { database }: DomainServices,
  actor: Actor,
  approvalIds: readonly string[],
): Promise<ApprovalDecision[]> {
  const approvals = await database.readTenant<ApprovalRow>(
    actor,
    `select ${APPROVAL_COLUMNS} from approval where organization_id = $1 and id = any($2::uuid[])`,
    [actor.organizationId, approvalIds.filter(isId)],
  )
  return approvals.flatMap((approval) => {
    const decision = endOf(approval)
    if (!decision) return []
    return [
      {
        approvalId: approval.id,
        decision,
        decidedBy: approval.decidedBy?.name ?? 'nobody',
        comment: approval.comment,
        arguments: approval.finalArguments ?? approval.arguments,
      },
    ]
  })
}

function endOf({ status }: ApprovalRow): ApprovalDecision['decision'] | null {
  return status === 'approved' || status === 'rejected' || status === 'expired' ? status : null
}
