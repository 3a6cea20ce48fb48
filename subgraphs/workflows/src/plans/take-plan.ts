import { createHash } from 'node:crypto'
import type pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import type { PlanBounds, WorkflowDefinition } from '../definitions/index.ts'
import type { CoreEvent } from '../engine/core/index.ts'
import type { HeldStrand, HeldTask } from '../engine/store/held-strand.ts'
import { budgetLeft } from './budget-left.ts'
import { type PlanProblem, problemAt, refusalOf } from './plan-problem.ts'
import { isPlan, planBoundsOf, type PlanReading, readPlan } from './read-plan.ts'

/** Versions written for a result, so that recording it again writes no other. */
const written = new WeakMap<object, string>()

/**
 * What becomes of a result that is a plan, of a step that may plan: the version that carries it out is written, and the
 * task waits for a run of it; or the attempt failed with PLAN_REFUSED, and the next one is told why under `$problems`.
 * Undefined for any other result.
 */
export async function takePlan(
  client: Pick<pg.ClientBase, 'query'>,
  definition: WorkflowDefinition,
  held: HeldStrand,
  output: unknown,
): Promise<(CoreEvent & { type: 'task_planned' | 'task_failed' }) | undefined> {
  const { task } = held
  const bounds = task && planBoundsOf(definition, task.nodeId, task.path)
  if (!task || !bounds || !isPlan(output)) return undefined
  const { nodeId: node, attempt } = task
  const reading = await readAgainst(client, definition, held, { task, bounds, output })
  if (!reading.ok) {
    await tellNextAttempt(client, held, task, reading.problems)
    return { type: 'task_failed', node, attempt, error: refusalOf(reading.problems) }
  }
  const limited = { ...reading, definition: withinStep(definition, task, reading.definition) }
  const versionId = written.get(output) ?? (await writeVersion(client, held, limited))
  written.set(output, versionId)
  return { type: 'task_planned', node, attempt, versionId, input: reading.input }
}

async function readAgainst(
  client: Pick<pg.ClientBase, 'query'>,
  definition: WorkflowDefinition,
  { run }: HeldStrand,
  { task, bounds, output }: { task: HeldTask; bounds: PlanBounds; output: Readonly<Record<string, unknown>> },
): Promise<PlanReading> {
  const left = definition.planned?.budgetUsd === undefined ? null : await budgetLeft(client, run)
  if (left !== null && left <= 0) {
    const message = 'The budget of the plan above is used up.'
    const root = Object.hasOwn(output, '$plan') ? '$plan' : '$tasks'
    return { ok: false, problems: [problemAt(root, 'plan_too_large', message, 'Answer without a plan.')] }
  }
  const { rows: agents } = await client.query<{ name: string; capabilities: string[] }>(
    'select name, capabilities from agent where organization_id = $1 and retired_at is null',
    [run.organizationId],
  )
  return readPlan(output, { bounds, input: task.input, definition, agents })
}

/** What the step's own limit leaves is the limit of the run. */
function withinStep(
  { nodes }: WorkflowDefinition,
  { nodeId, createdMs }: HeldTask,
  plan: WorkflowDefinition,
): WorkflowDefinition {
  const node = nodes[nodeId]
  if (node?.kind !== 'task' || node.stepTimeoutMs === undefined) return plan
  return { ...plan, timeoutMs: Math.max(1, Math.ceil(node.stepTimeoutMs - (Date.now() - createdMs))) }
}

/** The next attempt finds the problems in its input. A beginning that is not written yet is written with them. */
async function tellNextAttempt(
  client: Pick<pg.ClientBase, 'query'>,
  { id, fence, run }: HeldStrand,
  task: HeldTask,
  problems: readonly PlanProblem[],
): Promise<void> {
  Object.assign(task.input, { $problems: problems })
  await client.query(
    `update task t set input = t.input || $5::jsonb from strand s
     where s.organization_id = $1 and s.id = $2 and s.fence = $3 and s.task_id = t.id
       and t.organization_id = $1 and t.id = $4`,
    [run.organizationId, id, fence, task.id, JSON.stringify({ $problems: problems })],
  )
}

/**
 * A plan is a version of the run's own workflow with a number below zero, which no list has. One whose run was never
 * begun, since the worker died between, is nobody's.
 */
async function writeVersion(
  client: Pick<pg.ClientBase, 'query'>,
  { run }: HeldStrand,
  { definition, source }: PlanReading & { ok: true },
): Promise<string> {
  const id = uuidv7()
  for (;;) {
    // Others plan at the same moment: numbers are drawn apart, so that few meet.
    const { rowCount } = await client.query(
      `insert into workflow_version (organization_id, id, workflow_id, version, source, source_hash, definition)
       select $1::uuid, $2::uuid, $3::uuid, least(coalesce(min(v.version), 0), 0) - $4::int, $5, $6, $7::jsonb
       from workflow_version v where v.organization_id = $1::uuid and v.workflow_id = $3::uuid
       on conflict do nothing`,
      [
        run.organizationId,
        id,
        run.workflowId,
        1 + Math.floor(Math.random() * 64),
        source,
        createHash('sha256').update(source).digest('hex'),
        JSON.stringify(definition),
      ],
    )
    if (rowCount === 1) return id
  }
}
