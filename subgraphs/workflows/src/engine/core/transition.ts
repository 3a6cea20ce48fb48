import type { NodeId } from '../../definitions/index.ts'

/** Why a step or a run failed. `code` is stable; `message` is for people. */
export type StepError = { readonly code: string; readonly message: string }

/** The run's result: the outputs by name, and how it came to its end. */
export type RunOutput = {
  readonly outputs: Readonly<Record<string, unknown>>
  /** The last step that ran, or the named end that was reached. */
  readonly terminal: NodeId
  /** True when a step failed for good and the fallback handled it. */
  readonly fallback: boolean
  /** The step that failed, and why; only with `fallback`. */
  readonly fallbackReason?: FallbackReason
}

/** The failure that a fallback handled. */
export type FallbackReason = StepError & { readonly node: NodeId }

/** A step that now has work to do, for an agent (`ready`) or a person (`waiting`). */
export type CreateTask = {
  readonly type: 'create_task'
  readonly node: NodeId
  /** Path of the work within the run; with run and generation it makes the idempotency key. */
  readonly path: string
  readonly status: 'ready' | 'waiting'
  readonly input: Readonly<Record<string, unknown>>
  /** The first attempt is number 1. */
  readonly attempt: 1
  /** Wait before it is ready, in milliseconds; absent: ready at once. */
  readonly delayMs?: number
} & (
  | {
      readonly kind: 'agent'
      readonly agent: string
      readonly timeoutMs: number
      readonly maxAttempts: number
    }
  | {
      readonly kind: 'review'
      readonly role: string
      readonly question: string
      readonly deadlineMs?: number
    }
)

/** What is to be written because of an event, in this order and in one transaction. Plain data. */
export type Transition =
  | CreateTask
  /** The task that the event is about has its last status. */
  | {
      readonly type: 'settle_task'
      readonly node: NodeId
      readonly path: string
      readonly status: 'completed' | 'failed'
      readonly error?: StepError
    }
  /** The same task is ready again, as attempt number `attempt`, after `delayMs` milliseconds. */
  | {
      readonly type: 'retry_task'
      readonly node: NodeId
      readonly path: string
      readonly attempt: number
      readonly delayMs: number
      readonly error: StepError
    }
  /** For the history only: a condition chose `to` (null: the end of the run), or could not be evaluated. */
  | {
      readonly type: 'record_choice'
      readonly node: NodeId
      readonly path: string
      readonly to: NodeId | null
      readonly error?: StepError
    }
  /** A name of the run's state has a new value. Names beginning with `$` are the engine's own. */
  | { readonly type: 'write_state'; readonly name: string; readonly value: unknown }
  | { readonly type: 'complete_run'; readonly output: RunOutput }
  | { readonly type: 'fail_run'; readonly error: FallbackReason }
  /** The run ends; every task of it that is not over is cancelled with it. */
  | { readonly type: 'cancel_run'; readonly reason?: string }
