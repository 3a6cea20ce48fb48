import type { SqlTransaction } from '@tutti/prisma'
import { actorRef } from '../access/actor-ref.ts'
import { ESCALATION_COLUMNS, type EscalationRow } from './escalation-row.ts'
import { writeStep } from './escalation-step.ts'

/**
 * Resolves what waited for an approval, in the decision's transaction. Events: escalation.resolved, one each.
 */
export async function settleEscalations(
  tx: SqlTransaction,
  approvalId: string,
  resolution: string,
): Promise<void> {
  const settled = await tx.sql<EscalationRow>(
    `update escalation set status = 'resolved', resolution = $3, resolved_by = $4::jsonb, resolved_at = now(),
       due_at = null
     where organization_id = $1::uuid and approval_id = $2::uuid and status <> 'resolved' returning ${ESCALATION_COLUMNS}`,
    tx.actor.organizationId,
    approvalId,
    resolution,
    JSON.stringify(actorRef(tx.actor)),
  )
  for (const escalation of settled) await writeStep(tx, escalation, { kind: 'resolved', text: resolution })
  await tx.appendEvents(
    settled.map(({ id }) => ({
      type: 'escalation.resolved' as const,
      subject: `escalation/${id}`,
      data: { escalationId: id, resolution },
    })),
  )
}
