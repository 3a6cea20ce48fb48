import type { Compensation, TaskNode, WorkflowNode } from '../../../definitions/index.ts'
import { bindInputs } from '../bind-inputs.ts'
import type { BoundInputs } from '../bind-inputs.ts'
import type { CoreEvent, UndoableStep } from '../event.ts'
import { REST } from '../move.ts'
import type { Move } from '../move.ts'
import { isTaskOver } from '../task-status.ts'
import type { FallbackReason } from '../transition.ts'
import type { Walk } from '../walk.ts'
import { delayBeforeNext, errorOf, failureOf, isAttempt } from './attempt.ts'
import { assigneeOf } from './task.ts'

/** What the path of a task that undoes a step ends with, after the step's own. */
export const UNDO = '~undo'

/** Name that holds the failure, and the steps to undo, the newest first; `more` follow after them. */
const STEPS = '$undo'
/** Name that holds how far that is: the next step's place, and what could not be undone. */
const PROGRESS = '$undone'
const MOST_NAMED = 10

type Undo = {
  readonly error: FallbackReason
  readonly steps: readonly UndoableStep[]
  readonly more: boolean
  /** An operator wanted it: the run ends cancelled and not failed. */
  readonly cancelled?: true
}
type Progress = { readonly next: number; readonly failed: number; readonly messages: readonly string[] }
const NOTHING_YET: Progress = { next: 0, failed: 0, messages: [] }
type UndoableNode = TaskNode & { readonly compensate: Compensation }

/** The run is to fail: what can be undone is asked for. */
export function beginCompensation(walk: Walk, error: FallbackReason): Move {
  walk.write(STEPS, { error, steps: [], more: false } satisfies Undo)
  walk.write(PROGRESS, NOTHING_YET)
  walk.add({ type: 'compensate_run', error })
  return REST
}

/** The run is to be cancelled once what completed is undone: what it is at ends. */
export function takeBack(
  walk: Walk,
  { node, reason = 'Stopped on request.' }: CoreEvent & { type: 'run_taken_back' },
): Move | undefined {
  const { strand, task } = walk.view
  if (strand.compound !== undefined || isUndo(walk.names.mark(STEPS))) return undefined
  const error = { code: 'RUN_CANCELLED', message: reason }
  if (task && !isTaskOver(task.status)) {
    walk.add({ type: 'settle_task', node, path: task.path, status: 'cancelled', error })
    walk.add({ type: 'cancel_children', node, path: task.path })
  }
  const undo = { error: { node, ...error }, steps: [], more: false, cancelled: true } satisfies Undo
  if (!walk.program.canCompensate) return endUndone(walk, undo, reason)
  walk.write(STEPS, undo)
  walk.write(PROGRESS, NOTHING_YET)
  walk.add({ type: 'compensate_run', error: undo.error })
  return REST
}

/** The steps to undo are known. */
export function compensate(
  walk: Walk,
  { steps, more = false }: CoreEvent & { type: 'compensation_listed' },
): Move | undefined {
  const asked = walk.names.mark(STEPS)
  if (!isUndo(asked) || asked.steps.length > 0) return undefined
  const undo: Undo = { ...asked, steps, more: more && steps.length > 0 }
  walk.write(STEPS, undo)
  return undoNext(walk, undo, progressOf(walk))
}

/** Whether a task is the one that undoes the node's present step. */
export function isUndoing(walk: Walk, { id }: WorkflowNode, path: string): boolean {
  const undo = walk.names.mark(STEPS)
  const step = isUndo(undo) ? undo.steps[progressOf(walk).next] : undefined
  return step !== undefined && step.node === id && step.path + UNDO === path
}

/** An attempt to undo a step ended; one that fails for good is noted, and the others go on. */
export function resumeCompensation(walk: Walk, node: WorkflowNode, event: CoreEvent): Move | undefined {
  const undo = walk.names.mark(STEPS)
  const progress = progressOf(walk)
  const step = isUndo(undo) ? undo.steps[progress.next] : undefined
  if (!isUndo(undo) || !step || !isUndoable(node)) return undefined
  const path = step.path + UNDO
  const settle = { type: 'settle_task', node: node.id, path } as const
  const done = { ...progress, next: progress.next + 1 }
  if (event.type === 'task_skipped' || event.type === 'task_succeeded') {
    walk.add({ ...settle, status: event.type === 'task_skipped' ? 'skipped' : 'completed' })
    return undoNext(walk, undo, done)
  }
  if (event.type === 'task_cancelled') {
    walk.add({ ...settle, status: 'cancelled', error: event.error })
    return undoNext(walk, undo, withFailure(done, step, `${event.error.code}: ${event.error.message}`))
  }
  if (!isAttempt(event)) return undefined
  const failure = failureOf(event, node)
  const error = errorOf(failure)
  const delayMs = delayBeforeNext(walk, node, path, event.attempt, failure)
  if (delayMs !== undefined) {
    walk.add({ type: 'retry_task', node: node.id, path, attempt: event.attempt + 1, delayMs, error })
    return REST
  }
  walk.add({ ...settle, status: 'failed', error })
  return undoNext(walk, undo, withFailure(done, step, `${error.code}: ${error.message}`))
}

/** Begins the first of the remaining steps that can be; after the last of all, the run ends as it was to. */
function undoNext(walk: Walk, undo: Undo, begun: Progress): Move {
  const { error, steps, more } = undo
  let progress = begun
  for (const step of steps.slice(begun.next)) {
    const node = walk.program.node(step.node)
    const bound = isUndoable(node) ? inputOf(walk, node, step) : undefined
    if (bound?.ok && isUndoable(node)) {
      walk.write(PROGRESS, progress)
      walk.add({
        type: 'create_task',
        kind: 'agent',
        node: node.id,
        path: step.path + UNDO,
        status: 'ready',
        input: bound.input,
        attempt: 1,
        ...assigneeOf(node.compensate),
        timeoutMs: node.timeoutMs,
        maxAttempts: node.retry.maxAttempts,
      })
      return REST
    }
    progress = { ...progress, next: progress.next + 1 }
    if (bound && !bound.ok) progress = withFailure(progress, step, `EXPRESSION_FAILED: ${bound.message}`)
  }
  const after = steps.at(-1)?.path
  if (more && after !== undefined) {
    walk.write(STEPS, { ...undo, steps: [], more: false } satisfies Undo)
    walk.write(PROGRESS, { ...progress, next: 0 } satisfies Progress)
    walk.add({ type: 'compensate_run', error, after })
    return REST
  }
  walk.write(PROGRESS, progress)
  return endUndone(walk, undo, error.message + summaryOf(progress))
}

function endUndone(walk: Walk, { error, cancelled }: Undo, message: string): Move {
  if (cancelled) walk.add({ type: 'cancel_run', reason: message })
  else walk.add({ type: 'fail_run', error: { ...error, message } })
  return REST
}

/** The step's own input, or what the compensation names, with the step's result as `$output`. */
function inputOf(walk: Walk, { id, compensate: { inputs } }: UndoableNode, step: UndoableStep): BoundInputs {
  const $output = step.output ?? null
  if (!inputs) return { ok: true, input: { ...step.input, $output } }
  const own = new Map(Object.entries(step.input))
  const bound = bindInputs(
    inputs,
    (name) => (name === '$output' ? $output : own.has(name) ? own.get(name) : walk.read(id, name)),
    (text) => walk.evaluate(id, text, own),
  )
  return bound.ok ? { ok: true, input: { ...bound.input, $output } } : bound
}

function withFailure(progress: Progress, { path }: UndoableStep, message: string): Progress {
  const messages =
    progress.messages.length < MOST_NAMED ? [...progress.messages, `${path} (${message})`] : progress.messages
  return { ...progress, failed: progress.failed + 1, messages }
}

function summaryOf({ failed, messages }: Progress): string {
  if (failed === 0) return ''
  const others = failed > messages.length ? ` and ${failed - messages.length} more` : ''
  return ` Not undone: ${messages.join(', ')}${others}.`
}

function progressOf(walk: Walk): Progress {
  const value = walk.names.mark(PROGRESS)
  return isProgress(value) ? value : NOTHING_YET
}

function isUndoable(node: WorkflowNode): node is UndoableNode {
  return node.kind === 'task' && node.compensate !== undefined
}

function isUndo(value: unknown): value is Undo {
  return typeof value === 'object' && value !== null && 'steps' in value && 'error' in value
}

function isProgress(value: unknown): value is Progress {
  return typeof value === 'object' && value !== null && 'next' in value && 'messages' in value
}
