import { type Actor, fail } from '@tutti/schema'
import { actorRecord } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import type { Services } from '../context.ts'
import { isRunCancellable, type RunStatus } from '../engine/core/index.ts'
import { aboutTask, planTransitions } from '../engine/store/plan-transitions.ts'
import { emptyPlan, writePlan } from '../engine/store/write-plan.ts'

interface OpenTask {
  id: string
  step_path: string
  agent_id: string | null
  attempt: number
}

/**
 * Stops a run and everything of it that is not over. The fences move, so that work under way is told at its next
 * renewal and its late answer is refused. Stopping a stopped run is no mistake. INVALID_STATE when it has ended.
 */
export async function cancelRun(
  { database }: Pick<Services, 'database'>,
  actor: Actor,
  { id, reason }: { id: string; reason?: string | null },
): Promise<void> {
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  await database.transact(actor, async (client) => {
    const o = actor.organizationId
    const found = await client.query<{ status: RunStatus; workflow_id: string; name: string }>(
      `select r.status, r.workflow_id, w.name from run r
       join workflow w on w.organization_id = r.organization_id and w.id = r.workflow_id
       where r.organization_id = $1 and r.id = $2 for no key update of r`,
      [o, id],
    )
    const row = found.rows[0] ?? fail('NOT_FOUND', { path: 'input.id' })
    if (row.status === 'cancelled') return
    if (!isRunCancellable(row.status))
      fail('INVALID_STATE', { path: 'input.id', message: `The run is ${row.status}.` })
    const open = await client.query<OpenTask>(
      `select id, step_path, agent_id, attempt from task
       where organization_id = $1 and run_id = $2 and status in ('ready', 'running', 'waiting')
       order by id for no key update`,
      [o, id],
    )
    const plan = emptyPlan()
    const who = actorRecord(actor)
    const reference = { runId: id, workflowId: row.workflow_id, workflowName: row.name }
    for (const task of open.rows) {
      plan.tasks.push({ o, id: task.id, status: 'cancelled' })
      const about = aboutTask(reference, {
        id: task.id,
        stepPath: task.step_path,
        agentId: task.agent_id,
        attempt: task.attempt,
      })
      plan.events.push({ o, actor: who, event: { type: 'task.cancelled', ...about } })
    }
    const run = {
      organizationId: o,
      id,
      workflowId: row.workflow_id,
      workflowName: row.name,
      status: row.status,
    }
    const stop = { type: 'cancel_run', ...(reason ? { reason } : {}) } as const
    planTransitions(plan, run, undefined, [stop], { actor: who, agents: new Map() })
    await writePlan(client, plan)
  })
  database.announce()
}
