import type { TenantTransaction } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { APPROVAL_COLUMNS, type ApprovalRow } from '../approvals/approval-row.ts'
import type { EscalationRow } from './escalation-row.ts'
import { lockEscalation } from './lock-escalation.ts'

/**
 * The escalation and the approval that it waits for, locked until the transaction ends: the approval first, as whoever decides
 * it does. NOT_FOUND when it is not of this organization.
 */
export async function lockWithApproval(
  tx: TenantTransaction,
  id: string,
): Promise<{ escalation: EscalationRow; approval: ApprovalRow | null }> {
  const approvals = isId(id)
    ? await tx.sql<ApprovalRow>(
        `select ${APPROVAL_COLUMNS} from approval
         where organization_id = $1::uuid and id = (
           select approval_id from escalation where organization_id = $1::uuid and id = $2::uuid)
         for no key update`,
        tx.actor.organizationId,
        id,
      )
    : []
  return { escalation: await lockEscalation(tx, id), approval: approvals[0] ?? null }
}
