import type { FailureKind } from '@tutti/schema'
import type { NodeId } from '../../definitions/index.ts'
import type { Arrival, StepError } from './transition.ts'

/** A failed attempt. An error that is not retryable ends the step at once. */
export type AttemptError = StepError & {
  readonly retryable: boolean
  /** The earliest next try the other side allows, in milliseconds from now. */
  readonly retryAfterMs?: number
  /** What sort of failure it is, where whoever made the attempt knows more than the code says. */
  readonly fault?: FailureKind
}

/** A step that completed and can be undone. */
export type UndoableStep = {
  readonly node: NodeId
  readonly path: string
  readonly input: Readonly<Record<string, unknown>>
  readonly output: unknown
}

/**
 * What happened to a strand. `attempt` is the attempt it happened to: an event of an earlier one is late, and changes
 * nothing. `node` is the node of the strand's present task.
 */
export type CoreEvent =
  | { readonly type: 'run_started' }
  /** A branch or item begins: its strand has no task yet. */
  | { readonly type: 'strand_started' }
  | {
      readonly type: 'task_succeeded'
      readonly node: NodeId
      readonly attempt: number
      readonly output: unknown
      /** What a worker outside says it cost, US dollars. */
      readonly costUsd?: number
    }
  | {
      readonly type: 'task_failed'
      readonly node: NodeId
      readonly attempt: number
      readonly error: AttemptError
    }
  /** The attempt's result was a plan, which was accepted: the task waits for a child run of this version, with this input. */
  | {
      readonly type: 'task_planned'
      readonly node: NodeId
      readonly attempt: number
      readonly versionId: string
      readonly input: Readonly<Record<string, unknown>>
    }
  | { readonly type: 'task_timed_out'; readonly node: NodeId; readonly attempt: number }
  /** An operator leaves the step out; its output, if given, stands for the result. A review counts as approved. */
  | { readonly type: 'task_skipped'; readonly node: NodeId; readonly output?: unknown }
  /** An operator gives the step up for good. */
  | { readonly type: 'task_cancelled'; readonly node: NodeId; readonly error: StepError }
  /** A failed run is taken up again, or a forked one begins: the main line has no task yet, and goes on at this node. */
  | { readonly type: 'step_entered'; readonly node: NodeId }
  | {
      readonly type: 'review_decided'
      readonly node: NodeId
      readonly outcome: 'approve' | 'reject'
      readonly by?: string
      readonly comment?: string
      /** What was approved, where it may be something else than was asked. */
      readonly arguments?: unknown
    }
  /** Nobody decided before the review's deadline. */
  | { readonly type: 'review_expired'; readonly node: NodeId }
  /**
   * A wait is over: its time came, or the signal or event it waited for, with its payload. For a sub-workflow that is not
   * waited for: it has begun, and the payload is `{runId}`; that it could not is `child_run_ended` with `failed`.
   */
  | { readonly type: 'wait_over'; readonly node: NodeId; readonly payload?: unknown }
  /** What a wait waited for came to nothing: a peer could not do the item of the board. */
  | { readonly type: 'wait_failed'; readonly node: NodeId; readonly error: StepError }
  /** The time of a wait has passed: the limit of one for a signal, an event or a sub-run; of any other, its end. */
  | { readonly type: 'wait_expired'; readonly node: NodeId }
  /**
   * Enough branches or items arrived, or one failed a step that fails at once. One entry a branch or item, in order;
   * null for what has not arrived.
   */
  | { readonly type: 'children_done'; readonly node: NodeId; readonly arrivals: readonly (Arrival | null)[] }
  | {
      readonly type: 'child_run_ended'
      readonly node: NodeId
      readonly status: 'completed' | 'failed' | 'cancelled'
      readonly output: Readonly<Record<string, unknown>>
      readonly error?: StepError
    }
  /** The answer to `compensate_run`: what completed and has a compensation, newest first; `more`: asked for again. */
  | {
      readonly type: 'compensation_listed'
      readonly steps: readonly UndoableStep[]
      readonly more?: boolean
    }
  | { readonly type: 'run_cancelled'; readonly reason?: string }
  /**
   * An operator cancels the run once what completed is undone. Told to the main line; `node` is '' before its first task.
   * One that is being undone already stays as it is.
   */
  | { readonly type: 'run_taken_back'; readonly node: NodeId; readonly reason?: string }
