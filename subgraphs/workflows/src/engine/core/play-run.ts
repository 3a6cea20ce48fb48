import type { WorkflowDefinition } from '../../definitions/index.ts'
import { isRunOver, isTaskOver } from './index.ts'
import type { CoreEvent } from './index.ts'
import { RunInMemory } from './run-in-memory.ts'
import type { MemoryTask } from './run-in-memory.ts'

/**
 * What a test says of a task: its result, an event without the node, or `wait` for a task that nothing happens to.
 * A result for a review is the outcome, for a wait its payload, for a sub-workflow its outputs.
 */
export type Answer =
  | { readonly output: unknown }
  | { readonly error: string; readonly retryable?: boolean }
  | 'wait'

/** Plays a run in memory in the order in which its tasks were created, with the answers of `answer`, till nothing moves. */
export function playRun(
  definition: WorkflowDefinition,
  input: Readonly<Record<string, unknown>>,
  answer: (task: MemoryTask) => Answer,
): RunInMemory {
  const run = new RunInMemory(definition, input)
  for (let turn = 0; moveOn(run, answer); turn += 1)
    if (turn > 50_000) throw new Error('The run does not end.')
  return run
}

/** One move; false when nothing moves any more. */
export function moveOn(run: RunInMemory, answer: (task: MemoryTask) => Answer): boolean {
  if (isRunOver(run.status)) return false
  for (const strand of run.strands.values()) {
    if (strand.isHeld) continue
    if (run.undoAfter !== undefined) {
      run.undoAfter = undefined
      run.tell(strand, { type: 'compensation_listed', steps: run.undoable() })
      return true
    }
    if (!strand.hasBegun) {
      run.tell(strand, { type: strand.parent ? 'strand_started' : 'run_started' })
      return true
    }
    const { task } = strand
    if (!task || isTaskOver(task.status)) continue
    const event = run.isDue(strand)
      ? ({ type: 'children_done', node: task.created.node, arrivals: strand.arrivals } as const)
      : eventOf(task, answer)
    if (!event) continue
    if (run.tell(strand, event).length === 0)
      throw new Error(`${event.type} of ${task.created.path} is refused`)
    return true
  }
  return false
}

function eventOf(task: MemoryTask, answer: (task: MemoryTask) => Answer): CoreEvent | undefined {
  const { created } = task
  const { node, kind, path } = created
  if (path.endsWith('~pause')) return { type: 'wait_over', node }
  if (kind === 'parallel' || kind === 'map') return undefined
  const said = answer(task)
  if (said === 'wait') return undefined
  if ('output' in said) task.output = said.output
  if (kind === 'agent' || kind === 'message') {
    task.status = 'running'
    const { attempt } = task
    if ('output' in said) return { type: 'task_succeeded', node, attempt, output: said.output }
    const error = { code: said.error, message: said.error, retryable: said.retryable ?? false }
    return { type: 'task_failed', node, attempt, error }
  }
  if (!('output' in said)) return { type: kind === 'review' ? 'review_expired' : 'wait_expired', node }
  if (kind === 'review')
    return { type: 'review_decided', node, outcome: said.output === 'reject' ? 'reject' : 'approve' }
  if (created.kind !== 'workflow' || !created.wait) return { type: 'wait_over', node, payload: said.output }
  const output = typeof said.output === 'object' && said.output !== null ? { ...said.output } : {}
  return { type: 'child_run_ended', node, status: 'completed', output }
}
