import type pg from 'pg'
import type { WorkflowDefinition } from '../../definitions/index.ts'
import {
  advance,
  type Arrival,
  type CoreEvent,
  type RunView,
  type StepError,
  type Transition,
} from '../../engine/core/index.ts'

/** A task of a run's main line that is over. */
export interface PastTask {
  id: string
  path: string
  nodeId: string
  kind: string
  status: 'completed' | 'failed' | 'skipped' | 'cancelled'
  attempt: number
  output: unknown
  error: StepError | null
}

/** A run's past up to a step. */
export interface Past {
  /** The main line's state when the step began. */
  state: Record<string, unknown>
  /** The tasks before it, in their order. */
  tasks: PastTask[]
}

/**
 * Replays a run through the core up to the step with the given path: the same events give the same state. Undefined when
 * its tasks do not lead there.
 */
export async function replayRun(
  client: Pick<pg.ClientBase, 'query'>,
  run: { id: string; input: Record<string, unknown>; definition: WorkflowDefinition },
  tasks: ReadonlyMap<string, PastTask>,
  path: string,
): Promise<Past | undefined> {
  const past: Past = { state: {}, tasks: [] }
  const view = (task?: RunView['task']): RunView => ({
    status: task ? 'running' : 'queued',
    input: run.input,
    strand: { path: '', state: past.state, outer: [] },
    seed: run.id,
    ...(task ? { task } : {}),
  })
  let event: CoreEvent = { type: 'run_started' }
  let task: RunView['task']
  // Each round is a task of the past more, so it ends.
  for (let round = 0; round <= tasks.size; round += 1) {
    const transitions = advance(run.definition, view(task), event)
    for (const each of transitions) if (each.type === 'write_state') past.state[each.name] = each.value
    const next = transitions.findLast(
      (each): each is Transition & { type: 'create_task' } => each.type === 'create_task',
    )
    if (!next) return undefined
    if (next.path === path) return past
    const done = tasks.get(next.path)
    if (!done) return undefined
    past.tasks.push(done)
    task = { status: 'running', attempt: done.attempt, path: done.path }
    event = await eventOf(client, run.definition, done)
  }
  return undefined
}

async function eventOf(
  client: Pick<pg.ClientBase, 'query'>,
  definition: WorkflowDefinition,
  task: PastTask,
): Promise<CoreEvent> {
  const { nodeId: node, status, output } = task
  if (status === 'completed') return completion(client, definition, task)
  if (status === 'skipped') return { type: 'task_skipped', node, ...(output === null ? {} : { output }) }
  if (status === 'failed' && task.error?.code === 'REVIEW_EXPIRED') return { type: 'review_expired', node }
  if (status === 'failed' && task.error?.code === 'WAIT_EXPIRED') return { type: 'wait_expired', node }
  // However it failed: from here on it is the same.
  const error = task.error ?? { code: 'UNKNOWN', message: 'The step failed.' }
  return { type: 'task_cancelled', node, error }
}

async function completion(
  client: Pick<pg.ClientBase, 'query'>,
  definition: WorkflowDefinition,
  { id, kind, nodeId: node, attempt, output }: PastTask,
): Promise<CoreEvent> {
  switch (kind) {
    case 'review': {
      const { outcome, by, comment } = decisionOf(output)
      return { type: 'review_decided', node, outcome, ...(by ? { by } : {}), ...(comment ? { comment } : {}) }
    }
    case 'wait':
      return { type: 'wait_over', node, payload: output }
    case 'workflow': {
      const of = definition.nodes[node]
      const waits = of?.kind === 'workflow' && of.wait
      return waits
        ? { type: 'child_run_ended', node, status: 'completed', output: isRecord(output) ? output : {} }
        : { type: 'wait_over', node, payload: output }
    }
    case 'parallel':
    case 'map':
      return { type: 'children_done', node, arrivals: await pastArrivals(client, id, output) }
    default:
      return { type: 'task_succeeded', node, attempt, output }
  }
}

/** How branches or items arrived, by position; null for those that were not waited for, some of which never began. */
async function pastArrivals(
  client: Pick<pg.ClientBase, 'query'>,
  taskId: string,
  result: unknown,
): Promise<(Arrival | null)[]> {
  const { rows } = await client.query<{ position: number; arrival: Arrival | null; output: unknown }>(
    'select position, arrival, output from task where parent_id = $1 order by position',
    [taskId],
  )
  const begun = (rows.at(-1)?.position ?? -1) + 1
  const length = Array.isArray(result) ? Math.max(begun, result.length) : begun
  const arrivals = Array.from({ length }, (): Arrival | null => null)
  for (const { position, arrival, output } of rows)
    if (arrival) arrivals[position] = arrival.ok ? { ...arrival, value: arrival.value ?? output } : arrival
  return arrivals
}

function decisionOf(output: unknown): { outcome: 'approve' | 'reject'; by?: string; comment?: string } {
  const { outcome, by, comment } = isRecord(output) ? output : {}
  return {
    outcome: outcome === 'reject' ? 'reject' : 'approve',
    ...(typeof by === 'string' ? { by } : {}),
    ...(typeof comment === 'string' ? { comment } : {}),
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
