import type { WorkflowDefinition } from '../../definitions/index.ts'
import { isRunOver } from '../core/index.ts'
import { stuckOf } from './reason-of.ts'
import type { Run, Tables, Task } from './tables.ts'
import type { Violation } from './violation.ts'

/** What the rows cannot tell. */
export interface Known {
  /** By task, the number of the commit with which it can have begun at the earliest, and completed. */
  readonly begun: ReadonlyMap<string, number>
  readonly completed: ReadonlyMap<string, number>
  /** By task, when it was created, counted in tasks. */
  readonly created: ReadonlyMap<string, number>
  /** By key, what was called. */
  readonly calls: ReadonlyMap<string, { readonly what: string }>
  /** Ids of runs whose start was accepted, by key. */
  readonly accepted: ReadonlyMap<string, string>
  /** Tasks that somebody ended by hand. */
  readonly byHand: ReadonlySet<string>
}

const UNDO = '~undo'

/** What does not hold once nothing happens any more. */
export function* problemsAtTheEnd(
  db: Tables,
  definitions: ReadonlyMap<string, WorkflowDefinition>,
  known: Known,
): Iterable<Violation> {
  for (const text of stuckOf(db)) yield { invariant: 'a run ends or waits for a reason', text }
  for (const [key, id] of known.accepted)
    if (!db.run.get(id))
      yield { invariant: 'a start is accepted once', text: `The run of ${key} is not there.` }
  yield* duplicateStarts(db)
  for (const run of db.run.values()) {
    yield* orphans(db, run)
    const definition = definitions.get(run.version_id)
    if (run.status === 'failed' && definition) yield* badCompensation(db, definition, known, run)
  }
  yield* badTasks(db, definitions, known)
}

function* duplicateStarts(db: Tables): Iterable<Violation> {
  const keys = new Set<string>()
  for (const { idempotency_key: key } of db.run.values()) {
    if (key === null) continue
    if (keys.has(key)) yield { invariant: 'a start is accepted once', text: `${key} has started two runs` }
    keys.add(key)
  }
}

/** A sub-run that is waited for ends with the step that waits. */
function* orphans(db: Tables, run: Run): Iterable<Violation> {
  if (run.parent_strand_id === null || run.parent_task_id === null || isRunOver(run.status)) return
  const task = db.task.get(run.parent_task_id)
  if (task?.status !== 'waiting')
    yield { invariant: 'nothing is left', text: `run ${run.id} goes on, and its step is ${task?.status}` }
}

/** What completed and can be undone was undone, the last first. */
function* badCompensation(
  db: Tables,
  { nodes }: WorkflowDefinition,
  { begun, created, completed }: Known,
  run: Run,
): Iterable<Violation> {
  const invariant = 'compensation is complete'
  const tasks = [...db.task.values()].filter(({ run_id }) => run_id === run.id)
  const undoing = new Map(
    tasks.filter((t) => t.step_path.endsWith(UNDO)).map((t) => [t.step_path, created.get(t.id) ?? 0]),
  )
  const undoable = tasks.filter(({ step_path, status, node_id }) => {
    const node = nodes[node_id]
    return status === 'completed' && node?.kind === 'task' && node.compensate && !step_path.endsWith(UNDO)
  })
  for (const { step_path } of undoable)
    if (!undoing.has(step_path + UNDO)) yield { invariant, text: `${step_path} was not undone` }
  if (undoing.size > undoable.length) yield { invariant, text: 'what did not complete was undone' }
  const order = (t: Task) => completed.get(t.id) ?? 0
  const sorted = undoable.toSorted((a, b) => order(a) - order(b))
  for (const [index, earlier] of sorted.entries())
    for (const later of sorted.slice(index + 1)) {
      const isReversed =
        (undoing.get(earlier.step_path + UNDO) ?? 0) > (undoing.get(later.step_path + UNDO) ?? 0)
      // Of what ended side by side in one millisecond, either may be the first.
      const isSideBySide = earlier.ended_at === later.ended_at && (begun.get(later.id) ?? 0) < order(earlier)
      if (!isReversed && !isSideBySide)
        yield { invariant, text: `${earlier.step_path} was undone before ${later.step_path}` }
    }
}

function* badTasks(
  db: Tables,
  definitions: ReadonlyMap<string, WorkflowDefinition>,
  { calls, byHand }: Known,
): Iterable<Violation> {
  const called = new Set([...calls.values()].map(({ what }) => what))
  const signals = new Set<string>()
  for (const t of db.task.values()) {
    const run = db.run.get(t.run_id)
    const node = run && definitions.get(run.version_id)?.nodes[t.node_id]
    const isDone = t.status === 'completed' && !byHand.has(t.id)
    if (isDone && t.kind === 'agent' && !called.has(`${t.run_id} ${t.step_path}`))
      yield { invariant: 'one completion a task', text: `${t.step_path} completed and was never done` }
    if (node?.kind === 'task' && t.attempt > node.retry.maxAttempts)
      yield { invariant: 'attempts are counted', text: `${t.step_path} had attempt ${t.attempt}` }
    if (isDone && node?.kind === 'wait' && node.for.type === 'duration') {
      const waited = (t.ended_at ?? 0) - t.created_at
      if (waited < node.for.ms - 1)
        yield { invariant: 'times are kept', text: `${t.step_path} waited ${waited} of ${node.for.ms} ms` }
    }
    if (isDone && node?.kind === 'wait' && node.for.type === 'signal' && typeof t.output === 'string') {
      if (signals.has(t.output))
        yield { invariant: 'signals are taken once', text: `${t.output} woke ${t.step_path} too` }
      signals.add(t.output)
    }
  }
}
