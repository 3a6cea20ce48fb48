import type { NodeId } from '../../definitions/index.ts'
import type { StepError } from './transition.ts'

/** A failed attempt. An error that is not retryable ends the step at once. */
export type AttemptError = StepError & {
  readonly retryable: boolean
  /** The earliest next try the other side allows, in milliseconds from now. */
  readonly retryAfterMs?: number
}

/**
 * What happened. `attempt` is the attempt it happened to: an event of an earlier one is late, and changes nothing.
 */
export type CoreEvent =
  | { readonly type: 'run_started' }
  | {
      readonly type: 'task_succeeded'
      readonly node: NodeId
      readonly attempt: number
      readonly output: unknown
    }
  | {
      readonly type: 'task_failed'
      readonly node: NodeId
      readonly attempt: number
      readonly error: AttemptError
    }
  | { readonly type: 'task_timed_out'; readonly node: NodeId; readonly attempt: number }
  | {
      readonly type: 'review_decided'
      readonly node: NodeId
      readonly outcome: 'approve' | 'reject'
      readonly by?: string
      readonly comment?: string
    }
  /** Nobody decided before the review's deadline. */
  | { readonly type: 'review_expired'; readonly node: NodeId }
  | { readonly type: 'run_cancelled'; readonly reason?: string }
