import type { SqlTransaction } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { settleEscalations } from '../escalations/settle-escalations.ts'
import { APPROVAL_COLUMNS, type ApprovalRow } from './approval-row.ts'

const STILL_ASKED = `select id from approval
  where organization_id = $1::uuid and task_id = any($2::uuid[]) and status in ('pending', 'changes_requested')`

/** Of which questions, and what became of who asked. */
const REASONS = {
  ended: { asked: `${STILL_ASKED} order by id`, outcome: 'the task that asked has ended' },
  reassigned: {
    asked: `${STILL_ASKED} and exists (select from task t where t.organization_id = $1::uuid and t.id = approval.task_id
      and t.agent_id::text <> approval.requested_by->>'agentId') order by id`,
    outcome: 'another agent does the task',
  },
}

/**
 * Takes back what is still asked for these tasks, since they have ended, or went to another agent: then what was asked for
 * others than the one whose each is now. Output: how many. Events: approval.withdrawn, escalation.resolved. Audit: an
 * execution each.
 */
export async function withdrawApprovals(
  { database }: DomainServices,
  actor: Actor,
  taskIds: readonly string[],
  why: keyof typeof REASONS = 'ended',
): Promise<number> {
  const { asked, outcome } = REASONS[why]
  const ids = taskIds.filter(isId)
  const seen = await database.readTenant<{ id: string }>(actor, asked, [actor.organizationId, ids])
  if (seen.length === 0) return 0
  return database.inTenant(actor, async (tx) => {
    // A task that went back meanwhile would wait for what is being taken back.
    if (why === 'reassigned')
      await tx.sql(
        `select id from task where organization_id = $1::uuid and id = any($2::uuid[]) order by id for share`,
        actor.organizationId,
        ids,
      )
    // Two statements: one that locks rows and writes them as well deadlocks among three.
    const open = await tx.sql<{ id: string }>(`${asked} for no key update`, actor.organizationId, ids)
    if (open.length === 0) return 0
    const withdrawn = await tx.sql<ApprovalRow>(
      `update approval set status = 'withdrawn' where organization_id = $1::uuid and id = any($2::uuid[])
       returning ${APPROVAL_COLUMNS}`,
      actor.organizationId,
      open.map(({ id }) => id),
    )
    if (why === 'reassigned') await freeKeys(tx, withdrawn)
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
          outcome,
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

/** Whose task comes back to them asks anew. */
async function freeKeys(tx: SqlTransaction, approvals: readonly ApprovalRow[]): Promise<void> {
  for (const [table, column] of [
    ['approval', 'id'],
    ['escalation', 'approval_id'],
  ] as const)
    await tx.sql(
      `update ${table} set request_key = request_key || '/withdrawn/' || id
       where organization_id = $1::uuid and ${column} = any($2::uuid[])`,
      tx.actor.organizationId,
      approvals.map(({ id }) => id),
    )
}
