import { isRecord } from '@tutti/schema'
import { errorOf, type PastEvent, type RunOrigin, type RunPast, textOf } from './run-past.ts'
import { type DefinitionOf, Teller } from './teller.ts'

type State = Readonly<Record<string, unknown>>

const SETTLES = new Set(['task.completed', 'task.failed', 'task.skipped', 'task.cancelled'])

/**
 * The state of a run's main line at a moment: what the engine's own core makes of the steps that had ended by then, told
 * to it again in their order. So it holds whatever the core writes: outputs by name, transforms, the outputs of branches
 * from their join on. The engine's own names (`$`) are in it.
 */
export function stateAt(past: RunPast, definitionOf: DefinitionOf, at: Date): Record<string, unknown> {
  const { run, tasks, events, origin } = past
  const teller = new Teller(run.id, isRecord(run.input) ? run.input : {}, definitionOf, tasks)
  const byId = new Map(tasks.map((task) => [task.id, task]))
  teller.versionId = versionAt(run.versionId, events, run.createdAt)
  if (origin) beginAsCopy(teller, past, origin)
  for (const [index, event] of events.entries()) {
    // From the latter on steps are undone, and the state is as it was.
    if (event.time > at || event.type === 'run.cancelling') break
    if (event.type === 'run.started' && !origin) teller.tell({ type: 'run_started' })
    else if (event.type === 'run.migrated')
      teller.versionId = textOf(event, 'toVersionId') ?? teller.versionId
    else if (event.type === 'run.retried') {
      const { $undo: _, $undone: __, ...state } = teller.state
      teller.state = state
      teller.enter(firstOf(event.data['steps']))
    } else if (SETTLES.has(event.type)) {
      const task = byId.get(textOf(event, 'taskId') ?? '')
      const isMain = task && task.parentId === null
      if (isMain && !endsTheRun(events, index))
        teller.tellEnd(task, SETTLED_STATUS[event.type] ?? task.status)
    }
  }
  return teller.state
}

const SETTLED_STATUS: Readonly<Record<string, string>> = {
  'task.completed': 'completed',
  'task.skipped': 'skipped',
}

/** Whether a task was cancelled because its whole run was, or because the run's time was over: the core was not asked. */
function endsTheRun(events: readonly PastEvent[], index: number): boolean {
  if (events[index]?.type !== 'task.cancelled') return false
  const end = events.slice(index + 1).find(({ type }) => type !== 'task.cancelled')
  return (
    end?.type === 'run.cancelled' || (end?.type === 'run.failed' && errorOf(end)?.code === 'RUN_TIMED_OUT')
  )
}

/** A forked run begins with what its original had come to, as far as it was copied, and with what was to be different. */
function beginAsCopy(teller: Teller, { tasks, run, events }: RunPast, origin: RunOrigin): void {
  const own = { input: teller.input, versionId: teller.versionId }
  Object.assign(teller, origin)
  teller.tell({ type: 'run_started' })
  for (const task of tasks)
    if (task.parentId === null && task.endedAt && task.endedAt <= run.createdAt)
      teller.tellEnd(task, task.status)
  const fork = events.find(({ type }) => type === 'run.forked')
  Object.assign(teller, own)
  if (isRecord(fork?.data['state'])) teller.state = { ...teller.state, ...fork.data['state'] }
  const path = fork ? textOf(fork, 'fromStepPath') : null
  teller.enter(path?.slice(path.lastIndexOf('/') + 1))
}

const firstOf = (list: unknown): unknown => (Array.isArray(list) ? list[0] : undefined)

/** The version that a run was on at a moment, by its migrations. */
export function versionAt(present: string, events: readonly PastEvent[], at: Date): string {
  const moves = events.filter(({ type }) => type === 'run.migrated')
  const last = moves.findLast(({ time }) => time <= at)
  const next = moves.find(({ time }) => time > at)
  return (last ? textOf(last, 'toVersionId') : next ? textOf(next, 'fromVersionId') : null) ?? present
}

/** Names that steps see. */
export const visible = (state: State): Record<string, unknown> =>
  Object.fromEntries(Object.entries(state).filter(([name]) => !name.startsWith('$')))
