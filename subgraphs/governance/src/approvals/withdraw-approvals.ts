import { isId } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { settleEscalations } from '../escalations/settle-escalations.ts'
import { APPROVAL_COLUMNS, type ApprovalRow } from './approval-row.ts'

const STILL_ASKED = `select id from approval
  where organization_id = $1::uuid and task_id = any($2::uuid[]) and status in ('pending', 'changes_requested') order by id`

/**
 * Takes back what is still asked for these tasks, since they have ended. Output: how many. Events: approval.withdrawn,
 * escalation.resolved. Audit: an execution each.
 */
export async function withdrawApprovals(
  { database }: DomainServices,
  actor: Actor,
  taskIds: readonly string[],
): Promise<number> {
  const asked = await database.readTenant<{ id: string }>(actor, STILL_ASKED, [
    actor.organizationId,
    taskIds.filter(isId),
  ])
  if (asked.length === 0) return 0
  return database.inTenant(actor, async (tx) => {
    // Two statements: one that locks rows and writes them as well deadlocks among three.
    const open = await tx.sql<{ id: string }>(
      `${STILL_ASKED} for no key update`,
      actor.organizationId,
      taskIds.filter(isId),
    )
    if (open.length === 0) return 0
    const withdrawn = await tx.sql<ApprovalRow>(
      `update approval set status = 'withdrawn' where organization_id = $1::uuid and id = any($2::uuid[])
       returning ${APPROVAL_COLUMNS}`,
      actor.organizationId,
      open.map(({ id }) => id),
    )
    for (const { id, runId, taskId, title, action, digest, requestedBy } of withdrawn) {
      await tx.appendEvent({
        type: 'approval.withdrawn',
        subject: `approval/${id}`,
        data: { approvalId: id, runId, taskId },
      })
      await writeAuditEntry(tx, {
        actionType: 'execution',
        domain: 'governance',
        summary: `Nobody needs to decide any more: ${title}`,
        details: {
          context: { action, digest, runId, requestedBy },
          options_considered: ['approve', 'approve with other arguments', 'reject'],
          decision: 'withdrawn',
          outcome: 'the task that asked has ended',
        },
        significance: 'standard',
        subject: `approval/${id}`,
        relatedTasks: taskId === null ? [] : [taskId],
      })
      await settleEscalations(tx, id, 'withdrawn')
    }
    return withdrawn.length
  })
}
