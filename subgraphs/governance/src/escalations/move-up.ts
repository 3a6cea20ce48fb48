import type { TenantTransaction } from '@tutti/prisma'
import type { ApprovalRow } from '../approvals/approval-row.ts'
import { openToResponsible } from '../approvals/open-to-responsible.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import { assigneeOf, enterLevel } from './enter-level.ts'
import type { LevelRule } from './escalation-level.ts'
import type { EscalationRow } from './escalation-row.ts'
import type { Missed } from './escalation-status.ts'
import { writeStep } from './escalation-step.ts'

/**
 * Takes a locked escalation to a level above; whoever is responsible there may decide the locked approval that it waits for, as
 * {@link openToResponsible} says. Events: escalation.raised, approval.escalated. Audit: an escalation.
 */
export async function moveUp(
  tx: TenantTransaction,
  { escalation, approval }: { escalation: EscalationRow; approval: ApprovalRow | null },
  rule: LevelRule,
  cause: Missed | 'request',
  reason: string | null,
): Promise<EscalationRow> {
  const { id, level: from, title, taskId } = escalation
  const raised = await enterLevel(tx, id, rule, await assigneeOf(tx, rule.responsible))
  await writeStep(tx, raised, { kind: 'raised', fromLevel: from, cause, text: reason })
  await tx.appendEvent({
    type: 'escalation.raised',
    subject: `escalation/${id}`,
    data: { escalationId: id, from, to: rule.level, cause, reason },
  })
  const decides = await openToResponsible(tx, approval, raised)
  await writeAuditEntry(tx, {
    actionType: 'escalation',
    domain: 'governance',
    summary: `Raised from ${from} to ${rule.level}: ${title}`,
    details: {
      context: {
        from,
        to: rule.level,
        responsible: rule.responsible,
        assignedTo: raised.assignedTo,
        ...(decides ? { decides } : {}),
      },
      decision: 'raise',
      reasoning: reason ?? `missed: ${cause}`,
      outcome: 'open',
    },
    subject: `escalation/${id}`,
    relatedTasks: taskId === null ? [] : [taskId],
  })
  return raised
}
