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
  { database }: DomainServices,
  actor: Actor,
  approvalId: string,
): Promise<ApprovalDecision | null> {
  if (!isId(approvalId)) return null
  const [approval] = await database.readTenant<ApprovalRow>(
    actor,
    `select ${APPROVAL_COLUMNS} from approval where organization_id = $1 and id = $2`,
    [actor.organizationId, approvalId],
  )
  const decision = approval && endOf(approval)
  if (!decision) return null
  return {
    approvalId,
    decision,
    decidedBy: approval.decidedBy?.name ?? 'nobody',
    comment: approval.comment,
    arguments: approval.finalArguments ?? approval.arguments,
  }
}

function endOf({ status }: ApprovalRow): ApprovalDecision['decision'] | null {
  return status === 'approved' || status === 'rejected' || status === 'expired' ? status : null
}
