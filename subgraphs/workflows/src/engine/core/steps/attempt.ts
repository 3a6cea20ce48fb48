import type { MessageNode, RetryPolicy, TaskNode } from '../../../definitions/index.ts'
import type { AttemptError, CoreEvent } from '../event.ts'
import { fail, REST } from '../move.ts'
import type { Move } from '../move.ts'
import { retryDelay } from '../retry-delay.ts'
import type { StepError } from '../transition.ts'
import type { Walk } from '../walk.ts'
import { finish } from './finish.ts'
import { stepError } from '../step-error.ts'

/** Whether the run's plan has cost what it may. */
export const isSpent = ({ view }: Pick<Walk, 'view'>): boolean => (view.budgetLeftUsd ?? 1) <= 0

/** How work that a worker does is tried again. */
export type AttemptPolicy = {
  readonly retry: RetryPolicy
  readonly timeoutMs: number
  readonly stepTimeoutMs?: number
}

/** What becomes of an attempt. */
export type AttemptEvent = CoreEvent & { readonly type: 'task_succeeded' | 'task_failed' | 'task_timed_out' }

export function isAttempt(event: CoreEvent): event is AttemptEvent {
  return event.type === 'task_succeeded' || event.type === 'task_failed' || event.type === 'task_timed_out'
}

/** A worker's attempt ended: its result is checked; a failure is tried again as the policy has it. */
export function endAttempt(
  walk: Walk,
  node: TaskNode | MessageNode,
  policy: AttemptPolicy,
  event: AttemptEvent,
): Move {
  if (event.type === 'task_succeeded') {
    const schema = node.kind === 'task' ? node.outputSchema : undefined
    const misfit = walk.misfit('The result', schema, event.output) ?? walk.misfitOf(node.output, event.output)
    if (!misfit) return finish(walk, node, { value: event.output, checked: true })
    return failAttempt(walk, node, policy, event.attempt, { ...misfit, retryable: true })
  }
  return failAttempt(walk, node, policy, event.attempt, failureOf(event, policy))
}

function failAttempt(
  walk: Walk,
  node: TaskNode | MessageNode,
  policy: AttemptPolicy,
  attempt: number,
  failure: AttemptError,
): Move {
  const path = walk.pathOf(node.id)
  const delayMs = delayBeforeNext(walk, policy, path, attempt, failure)
  const error = errorOf(failure)
  if (delayMs !== undefined) {
    walk.add({ type: 'retry_task', node: node.id, path, attempt: attempt + 1, delayMs, error })
    return REST
  }
  walk.settle(node.id, 'failed', { error })
  return fail(node, error)
}

/** What a failed or timed out attempt is called. */
export function failureOf(
  event: AttemptEvent & { readonly type: 'task_failed' | 'task_timed_out' },
  { timeoutMs }: AttemptPolicy,
): AttemptError {
  if (event.type === 'task_failed') return event.error
  return { ...stepError('STEP_TIMED_OUT', `No result within ${timeoutMs} ms.`), retryable: true }
}

export function errorOf({ code, message }: AttemptError): StepError {
  return { code, message }
}

/** Milliseconds to wait before the next attempt; undefined when there is none. */
export function delayBeforeNext(
  { view }: Walk,
  { retry, stepTimeoutMs }: AttemptPolicy,
  path: string,
  attempt: number,
  { code, retryable, retryAfterMs }: AttemptError,
): number | undefined {
  const isTriedAgain =
    retryable &&
    !isSpent({ view }) &&
    (retry.only?.includes(code) ?? true) &&
    !(retry.never?.includes(code) ?? false)
  if (!isTriedAgain || attempt >= retry.maxAttempts) return undefined
  const delayMs = retryDelay(retry, `${view.seed ?? ''}/${path}`, attempt + 1, retryAfterMs)
  const elapsedMs = view.task?.elapsedMs
  if (stepTimeoutMs !== undefined && elapsedMs !== undefined && elapsedMs + delayMs >= stepTimeoutMs)
    return undefined
  return delayMs
}
