import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { advance, type CoreEvent, type RunView, type Transition } from '../core/index.ts'
import type { ClaimedTask } from '../store/claim-tasks.ts'
import type { EngineMemory } from '../store/engine-memory.ts'
import { type LockedTask, lockTasks } from '../store/lock-tasks.ts'
import { aboutTask, planTransitions } from '../store/plan-transitions.ts'
import { emptyPlan, type TaskCreation, writePlan } from '../store/write-plan.ts'
import type { TaskOutcome } from './outcome.ts'
import { WORKER_ACTOR } from './worker-actor.ts'

export interface FinishedTask {
  task: ClaimedTask
  outcome: TaskOutcome
  /** Whether this worker would take the successor at once. */
  mayContinue: boolean
}

export interface Completion {
  /** Successors that are this worker's already. */
  continued: { task: ClaimedTask; after: string }[]
  /** Tasks that were somebody else's meanwhile; their answers were refused. */
  stale: string[]
  /** Whether work for others came to be. */
  madeReady: boolean
}

/**
 * Records everything that finished in this moment, in one transaction: lock and fence, decide by the core, write. At
 * most one outcome a task is recorded, however many workers tried.
 */
export async function completeTasks(
  pool: pg.Pool,
  memory: EngineMemory,
  finished: readonly FinishedTask[],
): Promise<Completion> {
  const client = await pool.connect()
  let failed: unknown = true
  try {
    await client.query('begin')
    const completion = await completeWithin(client, memory, finished)
    await client.query('commit')
    failed = undefined
    return completion
  } catch (error) {
    failed = error
    throw error
  } finally {
    if (failed) await client.query('rollback').catch(() => undefined)
    client.release()
  }
}

async function completeWithin(
  client: pg.PoolClient,
  memory: EngineMemory,
  finished: readonly FinishedTask[],
): Promise<Completion> {
  const byId = new Map(finished.map((each) => [each.task.id, each]))
  const locked = await lockTasks(
    client,
    finished.map(({ task }) => task),
  )
  const holds = locked.filter((row) => byId.get(row.id)?.task.fence === row.fence && row.status === 'running')
  const definitions = await memory.definitions.get(
    client,
    holds.map((row) => ({ organizationId: row.organization_id, id: row.version_id })),
  )
  const plan = emptyPlan()
  const continued: Completion['continued'] = []
  let madeReady = false

  for (const row of holds) {
    const finish = byId.get(row.id)
    const definition = definitions.get(row.version_id)
    if (!finish || !definition) continue
    const { outcome } = finish
    if (outcome.type === 'waiting') {
      planWait(plan, row, outcome.approvalId)
      continue
    }
    const transitions = advance(definition, viewOf(row), coreEvent(row, outcome))
    const claim = finish.mayContinue ? randomUUID() : undefined
    const agents = await memory.agents.of(client, row.organization_id, transitions)
    const claimed = planTransitions(plan, runOf(row), { ...taskOf(row), ...resultOf(outcome) }, transitions, {
      actor: WORKER_ACTOR,
      agents,
      ...(claim ? { claim } : {}),
    })
    for (const creation of claimed) continued.push({ task: claimedTask(row, creation), after: row.id })
    madeReady ||= makesReady(transitions) && claimed.length === 0
  }
  if (plan.tasks.length > 0) await writePlan(client, plan)
  const held = new Set(holds.map((row) => row.id))
  return { continued, madeReady, stale: finished.flatMap(({ task }) => (held.has(task.id) ? [] : [task.id])) }
}

const makesReady = (transitions: readonly Transition[]): boolean =>
  transitions.some(
    (each) => (each.type === 'create_task' && each.status === 'ready') || each.type === 'retry_task',
  )

export const runOf = (row: LockedTask) => ({
  organizationId: row.organization_id,
  id: row.run_id,
  workflowId: row.workflow_id,
  workflowName: row.workflow_name,
  status: row.run_status,
  createdAt: row.run_created_at,
})

export const taskOf = (row: LockedTask) => ({
  id: row.id,
  stepPath: row.step_path,
  agentId: row.agent_id,
  attempt: row.attempt,
})

export const viewOf = (row: LockedTask): RunView => ({
  status: row.run_status,
  input: row.run_input,
  state: row.run_state,
  task: { status: row.status, attempt: row.attempt },
  seed: row.run_id,
})

function coreEvent(row: LockedTask, outcome: Exclude<TaskOutcome, { type: 'waiting' }>): CoreEvent {
  const { node_id: node, attempt } = row
  if (outcome.type === 'succeeded')
    return { type: 'task_succeeded', node, attempt, output: outcome.output ?? null }
  if (outcome.type === 'failed') return { type: 'task_failed', node, attempt, error: outcome.error }
  return { type: 'task_timed_out', node, attempt }
}

function resultOf(outcome: TaskOutcome): { output?: unknown; costUsd?: number } {
  if (outcome.type === 'succeeded') return { output: outcome.output, costUsd: outcome.costUsd ?? 0 }
  return outcome.type === 'failed' ? { costUsd: outcome.costUsd ?? 0 } : {}
}

function planWait(plan: ReturnType<typeof emptyPlan>, row: LockedTask, approvalId: string): void {
  const run = runOf(row)
  const o = run.organizationId
  const reference = { runId: run.id, workflowId: run.workflowId, workflowName: run.workflowName }
  const about = aboutTask(reference, taskOf(row))
  plan.tasks.push({ o, id: row.id, status: 'waiting', approval: approvalId })
  plan.runs.push({ o, id: run.id, status: 'waiting', patch: {}, over: false })
  plan.events.push(
    {
      o,
      actor: WORKER_ACTOR,
      event: { type: 'task.waiting', subject: about.subject, data: { ...about.data, approvalId } },
    },
    { o, actor: WORKER_ACTOR, event: { type: 'run.waiting', subject: `run/${run.id}`, data: reference } },
  )
}

function claimedTask(row: LockedTask, creation: TaskCreation): ClaimedTask {
  return {
    organizationId: row.organization_id,
    id: creation.id,
    runId: row.run_id,
    stepPath: creation.path,
    agentId: creation.agent_id,
    agentName: creation.agent,
    attempt: 1,
    timeoutMs: creation.timeout_ms,
    fence: 1n,
    input: creation.input,
    workflowId: row.workflow_id,
    workflowName: row.workflow_name,
  }
}
