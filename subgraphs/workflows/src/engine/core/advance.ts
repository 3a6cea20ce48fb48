import type {
  EdgeTrigger,
  NodeId,
  ReviewNode,
  TaskNode,
  WorkflowDefinition,
  WorkflowNode,
} from '../../definitions/index.ts'
import { IMPLICIT_END } from '../../definitions/index.ts'
import { bindInputs, lookUp } from './bind-inputs.ts'
import type { AttemptError, CoreEvent } from './event.ts'
import { programOf } from './program.ts'
import { retryDelay } from './retry-delay.ts'
import { isRunOver, isRunQueued } from './run-status.ts'
import type { RunView } from './run-view.ts'
import { isTaskOver } from './task-status.ts'
import type { FallbackReason, StepError, Transition } from './transition.ts'

/** Name in a run's state that holds the failure its fallback handles. */
export const FALLBACK_STATE = '$fallback'

/**
 * The engine's pure core: what is to be written because of an event. No clock, no I/O, no randomness.
 *
 * An event that comes twice, late (of an earlier attempt), or after the run's end gives no transitions. The view must
 * be of the moment, so lock the rows first. Conditions are evaluated here, chains of them in one call.
 *
 * Failures: an attempt that failed or timed out is retried while its policy allows and the error is retryable; then the
 * step's `failed` edge is taken, once a run; without one, or if a fallback has run already, the run fails.
 *
 * @throws Error when the event names a node that the definition does not have: a mix-up of versions in the caller.
 */
export function advance(definition: WorkflowDefinition, view: RunView, event: CoreEvent): Transition[] {
  if (isRunOver(view.status)) return []
  const step = new Advance(definition, view)
  if (event.type === 'run_cancelled')
    return [{ type: 'cancel_run', ...(event.reason === undefined ? {} : { reason: event.reason }) }]
  if (event.type === 'run_started') {
    if (isRunQueued(view.status)) step.enter(definition.entry)
    return step.transitions
  }
  const node = nodeOf(definition, event.node)
  if (!view.task || isTaskOver(view.task.status)) return []
  if (event.type === 'review_decided' || event.type === 'review_expired') {
    if (node.kind === 'review') step.review(node, event)
    return step.transitions
  }
  if (node.kind !== 'task' || event.attempt !== view.task.attempt) return []
  if (event.type === 'task_succeeded') step.succeeded(node, event.output)
  else step.failed(node, event.attempt, event.type === 'task_failed' ? event.error : timeout(node))
  return step.transitions
}

function timeout(node: TaskNode): AttemptError {
  return { code: 'STEP_TIMED_OUT', message: `No result within ${node.timeoutMs} ms.`, retryable: true }
}

function nodeOf(definition: WorkflowDefinition, id: NodeId): WorkflowNode {
  const node = Object.hasOwn(definition.nodes, id) ? definition.nodes[id] : undefined
  if (!node) throw new Error(`The workflow "${definition.name}" has no step "${id}".`)
  return node
}

/** The transitions of one event, as they come to be. */
class Advance {
  readonly transitions: Transition[] = []
  readonly #definition: WorkflowDefinition
  readonly #view: RunView
  readonly #written: Record<string, unknown> = {}

  constructor(definition: WorkflowDefinition, view: RunView) {
    this.#definition = definition
    this.#view = view
  }

  succeeded(node: TaskNode, output: unknown): void {
    this.#settle(node.id, 'completed')
    if (node.output !== undefined) this.#write(node.output, output)
    this.#leave(node.id, 'done')
  }

  failed(node: TaskNode, attempt: number, failure: AttemptError): void {
    const error = { code: failure.code, message: failure.message }
    if (failure.retryable && attempt < node.retry.maxAttempts) {
      const key = `${this.#view.seed ?? ''}/${node.id}`
      const delayMs = retryDelay(node.retry, key, attempt + 1, failure.retryAfterMs)
      this.transitions.push({
        type: 'retry_task',
        node: node.id,
        path: node.id,
        attempt: attempt + 1,
        delayMs,
        error,
      })
      return
    }
    this.#settle(node.id, 'failed', error)
    this.#giveUp(node.id, error)
  }

  review(node: ReviewNode, event: CoreEvent & { type: 'review_decided' | 'review_expired' }): void {
    if (event.type === 'review_decided') {
      this.#settle(node.id, 'completed')
      if (node.output !== undefined)
        this.#write(node.output, {
          outcome: event.outcome,
          by: event.by ?? null,
          comment: event.comment ?? null,
        })
      this.#leave(node.id, event.outcome === 'approve' ? 'approved' : 'rejected')
      return
    }
    const error = { code: 'REVIEW_EXPIRED', message: 'Nobody decided before the deadline.' }
    this.#settle(node.id, 'failed', error)
    const [way] = programOf(this.#definition).edges(node.id, 'expired')
    if (way) this.enter(way.to, node.id)
    else this.#giveUp(node.id, error)
  }

  /** Goes on at a node; `from` is the one before it. */
  enter(id: NodeId, from?: NodeId): void {
    const node = nodeOf(this.#definition, id)
    if (node.kind === 'end') return this.#complete(id === IMPLICIT_END ? (from ?? id) : id)
    if (node.kind === 'condition') return this.#leave(id, 'done')
    const input = bindInputs(node.inputs, this.#state, this.#view.input)
    const task = { type: 'create_task', node: id, path: id, input, attempt: 1 } as const
    if (node.kind === 'task') {
      const { agent, timeoutMs, retry } = node
      this.transitions.push({
        ...task,
        kind: 'agent',
        status: 'ready',
        agent,
        timeoutMs,
        maxAttempts: retry.maxAttempts,
      })
    } else {
      const { role, question, deadlineMs } = node
      this.transitions.push({
        ...task,
        kind: 'review',
        status: 'waiting',
        role,
        question,
        ...(deadlineMs === undefined ? {} : { deadlineMs }),
      })
    }
  }

  /** Takes the first way out whose condition holds; the readers refuse cycles, so a chain of conditions ends. */
  #leave(id: NodeId, on: EdgeTrigger): void {
    const chooses = this.#definition.nodes[id]?.kind === 'condition'
    for (const { to, condition } of programOf(this.#definition).edges(id, on)) {
      const outcome = condition?.evaluate(this.#names(condition.variables)) ?? { ok: true, value: true }
      if (!outcome.ok) {
        const error = { code: 'CONDITION_FAILED', message: `${condition?.text ?? ''}: ${outcome.message}` }
        this.transitions.push({ type: 'record_choice', node: id, path: id, to: null, error })
        return this.#giveUp(id, error)
      }
      if (!outcome.value) continue
      if (chooses) this.transitions.push({ type: 'record_choice', node: id, path: id, to })
      return this.enter(to, id)
    }
    if (chooses) this.transitions.push({ type: 'record_choice', node: id, path: id, to: null })
    this.#complete(id)
  }

  /** The step has definitely failed: its fallback, if the run has not had one; else the run fails. */
  #giveUp(id: NodeId, error: StepError): void {
    const reason: FallbackReason = { node: id, ...error }
    const [way] = programOf(this.#definition).edges(id, 'failed')
    if (!way || this.#fallbackReason()) {
      this.transitions.push({ type: 'fail_run', error: reason })
      return
    }
    this.#write(FALLBACK_STATE, reason)
    this.enter(way.to, id)
  }

  #complete(terminal: NodeId): void {
    const names = Object.entries(this.#state).filter(([name]) => !name.startsWith('$'))
    const fallbackReason = this.#fallbackReason()
    const output = {
      outputs: Object.fromEntries(names),
      terminal,
      fallback: fallbackReason !== undefined,
      ...(fallbackReason ? { fallbackReason } : {}),
    }
    this.transitions.push({ type: 'complete_run', output })
  }

  #settle(id: NodeId, status: 'completed' | 'failed', error?: StepError): void {
    this.transitions.push({ type: 'settle_task', node: id, path: id, status, ...(error ? { error } : {}) })
  }

  #write(name: string, value: unknown): void {
    this.#written[name] = value ?? null
    this.transitions.push({ type: 'write_state', name, value: value ?? null })
  }

  get #state(): Readonly<Record<string, unknown>> {
    return { ...this.#view.state, ...this.#written }
  }

  #names(variables: readonly string[]): Record<string, unknown> {
    const state = this.#state
    return Object.fromEntries(variables.map((name) => [name, lookUp(name, state, this.#view.input)]))
  }

  #fallbackReason(): FallbackReason | undefined {
    const value = lookUp(FALLBACK_STATE, this.#state, {})
    return isFallbackReason(value) ? value : undefined
  }
}

function isFallbackReason(value: unknown): value is FallbackReason {
  return (
    typeof value === 'object' && value !== null && 'node' in value && 'code' in value && 'message' in value
  )
}
