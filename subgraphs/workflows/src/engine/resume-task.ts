import type { Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import { advance } from './core/index.ts'
import { engineMemoryOf } from './store/engine-memory.ts'
import { type LockedTask, lockTasks } from './store/lock-tasks.ts'
import { aboutTask, planTransitions } from './store/plan-transitions.ts'
import { emptyPlan, type WritePlan, writePlan } from './store/write-plan.ts'
import { runOf, taskOf, viewOf } from './worker/complete-tasks.ts'

/** A person's answer, as it reaches the waiting task. */
export interface TaskDecision {
  approvalId: string
  decision: 'approved' | 'rejected' | 'expired'
  decidedBy: string
  comment: string | null
  arguments: unknown
}

/**
 * Lets a waiting task go on. An agent's task becomes ready again with the decision in its input under `$decision`; a
 * review is settled by the core. False when the task does not wait (any more, or yet) for this approval.
 */
export async function resumeTask(
  { database }: { database: Database },
  actor: Actor,
  taskId: string,
  decision: TaskDecision,
): Promise<boolean> {
  const memory = engineMemoryOf(database)
  const resumed = await database.transact(actor, async (client) => {
    const [row] = await lockTasks(client, [{ organizationId: actor.organizationId, id: taskId }])
    if (!row || row.status !== 'waiting') return false
    if (row.approval_id !== null && row.approval_id !== decision.approvalId) return false
    const plan = emptyPlan()
    if (row.kind === 'agent') planReturn(plan, row, decision, actor)
    else {
      const definitions = await memory.definitions.get(client, [
        { organizationId: row.organization_id, id: row.version_id },
      ])
      const definition = definitions.get(row.version_id)
      if (!definition) return false
      const transitions = advance(
        definition,
        viewOf(row),
        decision.decision === 'expired'
          ? { type: 'review_expired', node: row.node_id }
          : {
              type: 'review_decided',
              node: row.node_id,
              outcome: decision.decision === 'approved' ? 'approve' : 'reject',
              by: decision.decidedBy,
              ...(decision.comment === null ? {} : { comment: decision.comment }),
            },
      )
      const agents = await memory.agents.of(client, row.organization_id, transitions)
      planTransitions(plan, runOf(row), { ...taskOf(row), output: decision }, transitions, { actor, agents })
    }
    await writePlan(client, plan)
    return true
  })
  if (resumed) database.announce()
  return resumed
}

function planReturn(plan: WritePlan, row: LockedTask, decision: TaskDecision, actor: Actor): void {
  const run = runOf(row)
  const o = run.organizationId
  const reference = { runId: run.id, workflowId: run.workflowId, workflowName: run.workflowName }
  const about = aboutTask(reference, taskOf(row))
  plan.tasks.push({
    o,
    id: row.id,
    status: 'ready',
    input: { $decision: decision },
    attempt_delta: -1,
    since: row.run_created_at.toISOString(),
  })
  plan.runs.push({ o, id: run.id, status: 'running', patch: {}, over: false })
  plan.events.push({ o, actor, event: { type: 'task.ready', ...about } })
}

/** Notes the approval that a review's task waits for. */
export async function bindApproval(
  { database }: { database: Database },
  actor: Actor,
  taskId: string,
  approvalId: string,
): Promise<void> {
  await database.transact(actor, (client) =>
    client.query(
      `update task set approval_id = $3 where organization_id = $1 and id = $2 and status = 'waiting' and approval_id is null`,
      [actor.organizationId, taskId, approvalId],
    ),
  )
}
