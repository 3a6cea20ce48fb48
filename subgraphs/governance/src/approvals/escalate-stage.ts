import type { SqlTransaction } from '@tutti/prisma'
import { writeEscalation } from '../escalations/write-escalation.ts'
import type { ApprovalRow } from './approval-row.ts'

/**
 * Says of a locked approval's present stage that it is an escalation from now on, once a round and `key` (empty: its deadline
 * passed). `title` and `reason`: why. Events: approval.escalated, escalation.opened. Audit: the escalation.
 */
export async function escalateStage(
  tx: SqlTransaction,
  approval: ApprovalRow,
  { key, title, reason }: { key: '' | '/nobody'; title: string; reason: string },
): Promise<void> {
  const { id, runId, taskId, stage, round, requestedBy, stages } = approval
  const { id: escalationId } = await writeEscalation(tx, {
    requestKey: `approval/${id}/${round}/${stage}${key}`,
    title: `${title}: ${approval.title}`.slice(0, 200),
    reason,
    level: 'person',
    context: { approvalId: id, stage: stages[stage]?.name ?? '' },
    runId,
    taskId,
    approvalId: id,
    openedBy: requestedBy,
  })
  await tx.appendEvent({
    type: 'approval.escalated',
    subject: `approval/${id}`,
    data: { approvalId: id, runId, taskId, stage, escalationId },
  })
}
