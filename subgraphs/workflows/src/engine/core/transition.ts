import type { Assignee, JsonSchema, NodeId } from '../../definitions/index.ts'

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

/** How a branch or item came to its end. `state`: the names a branch wrote, which enter the state at the join. */
export type Arrival =
  | { readonly ok: true; readonly value: unknown; readonly state?: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly error: FallbackReason }

type TaskBase = {
  readonly type: 'create_task'
  readonly node: NodeId
  /** Path of the work within the run, as `each[17]/again[2]/review`; with run and generation it is the work's key. */
  readonly path: string
  readonly input: Readonly<Record<string, unknown>>
  /** The first attempt is number 1. */
  readonly attempt: 1
}

/**
 * The strand is at a new task. `ready`: for a worker, after `delayMs` if given. `waiting`: until a decision, a time
 * (`wakeAt`, `wakeAfterMs`: then `wait_over`, or `wait_expired` if `expires`), a signal or event (`waitKey`), or its
 * children or child run.
 */
export type CreateTask = TaskBase &
  (
    | ({
        readonly kind: 'agent'
        readonly status: 'ready'
        readonly timeoutMs: number
        readonly maxAttempts: number
        readonly heartbeatMs?: number
        readonly delayMs?: number
      } & Assignee)
    | {
        /** The input is `{body}`. */
        readonly kind: 'message'
        readonly status: 'ready'
        readonly to: string
        readonly channel: string
        readonly timeoutMs: number
        readonly maxAttempts: number
      }
    | {
        readonly kind: 'review'
        readonly status: 'waiting'
        readonly role: string
        readonly question: string
        readonly deadlineMs?: number
        readonly argumentsSchema?: JsonSchema
      }
    | {
        /** The input of a wait for an event is what its filter reads beside `event`; for a peer, what the item holds. */
        readonly kind: 'wait'
        readonly status: 'waiting'
        /** `signal:<name>`, `event:<type>` or `board:<capability>`; absent for a mere time. */
        readonly waitKey?: string
        readonly wakeAfterMs?: number
        /** ISO 8601. */
        readonly wakeAt?: string
        /** True: the time is the limit of the wait, not what it waits for. */
        readonly expires?: boolean
      }
    | {
        /** Waits for `child_run_ended` (or, past `wakeAfterMs`, `wait_expired`); without `wait`, see `wait_over`. */
        readonly kind: 'workflow'
        readonly status: 'waiting'
        readonly workflow: string
        readonly version?: number
        readonly wait: boolean
        readonly wakeAfterMs?: number
      }
    | {
        /** Followed by its `start_strands`. */
        readonly kind: 'parallel' | 'map'
        readonly status: 'waiting'
      }
  )

/** A child strand that begins. */
export type NewStrand = {
  /** The branch's name or the item's number. */
  readonly key: string
  /** What the paths of its tasks begin with. */
  readonly path: string
  readonly state: Readonly<Record<string, unknown>>
  /** Its first transitions, when few begin at once; absent: it gets `strand_started` when a worker claims it. */
  readonly transitions?: readonly Transition[]
}

/** What is to be written because of an event, in this order and in one transaction. Plain data. */
export type Transition =
  | CreateTask
  /** The task that the event is about has its last status. */
  | {
      readonly type: 'settle_task'
      readonly node: NodeId
      readonly path: string
      readonly status: 'completed' | 'failed' | 'skipped' | 'cancelled'
      readonly error?: StepError
      /** The result, where the shell does not have it from the attempt: of a wait, a join, a child run. */
      readonly output?: unknown
    }
  /** The same task waits for `child_run_ended`: a run of this version of the run's own workflow begins. */
  | {
      readonly type: 'await_plan'
      readonly node: NodeId
      readonly path: string
      readonly versionId: string
      readonly input: Readonly<Record<string, unknown>>
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
  /**
   * The children of the compound task just created. The strand is woken with `children_done` when `needed` arrived
   * well, when all arrived, or, with `failFast`, when one failed. At most `concurrency` of them are under way at once.
   */
  | {
      readonly type: 'start_strands'
      readonly node: NodeId
      readonly path: string
      readonly strands: readonly NewStrand[]
      readonly needed: number
      readonly failFast: boolean
      readonly concurrency?: number
    }
  /** Everything below this strand that is not over is cancelled, sub-runs too: the join had enough, or it failed. */
  | { readonly type: 'cancel_children'; readonly node: NodeId; readonly path: string }
  /** This strand, a child, is over. */
  | { readonly type: 'arrive'; readonly arrival: Arrival }
  /**
   * For the history only: a condition chose `to` (null: the end of the body). With `error`: what the engine itself was to
   * evaluate for the node could not be, and the node failed without a task.
   */
  | {
      readonly type: 'record_choice'
      readonly node: NodeId
      readonly path: string
      readonly to: NodeId | null
      readonly error?: StepError
    }
  /** A name of the strand's state has a new value. Names beginning with `$` are the engine's own. */
  | { readonly type: 'write_state'; readonly name: string; readonly value: unknown }
  /**
   * The run is about to fail, or to be cancelled, and steps of it can be undone: answered with `compensation_listed`. `after`: the path of
   * the last step that a listing with `more` had; those completed before it are wanted.
   */
  | { readonly type: 'compensate_run'; readonly error: FallbackReason; readonly after?: string }
  | { readonly type: 'complete_run'; readonly output: RunOutput }
  | { readonly type: 'fail_run'; readonly error: FallbackReason }
  /** The run ends; every task of it that is not over is cancelled with it. */
  | { readonly type: 'cancel_run'; readonly reason?: string }
