import type { RunOutput, RunStatus, StepError } from '../engine/core/index.ts'

/** What a test says of a run, in the order in which it happened. */
export type TraceEvent =
  | 'run_started'
  | 'run_completed'
  | 'run_failed'
  | 'run_cancelled'
  | 'task_started'
  | 'task_waiting'
  | 'task_retrying'
  | 'task_completed'
  | 'task_failed'
  | 'task_skipped'
  | 'task_cancelled'
  | 'message_sent'
  | 'choice_made'
  | 'state_written'

/** One thing that happened. */
export type TraceEntry = {
  /** Virtual time, ISO 8601. */
  readonly at: string
  /** Milliseconds since the start. */
  readonly afterMs: number
  readonly event: TraceEvent
  /** The step's path; of a sub-workflow's step after the path of the step that called it and `>`. '' for the run itself. */
  readonly path: string
  /** The workflow whose step it is. */
  readonly workflow: string
  readonly attempt?: number
  readonly input?: unknown
  readonly output?: unknown
  readonly error?: StepError
  /**
   * What else there is to say: `{waitsFor, name, until}` of a wait, `{delayMs}` of a retry, `{to}` of a choice, `{name}` of
   * a name of the state, `{to, channel}` of a message.
   */
  readonly details?: Readonly<Record<string, unknown>>
}

/** What a run that did not end waits for. */
export type TestWait = {
  readonly path: string
  readonly workflow: string
  /** `mock`: for an answer that the test does not have. */
  readonly kind: 'mock' | 'review' | 'signal' | 'event'
  /** The agent or capability, the role, the name of the signal, the type of the event. */
  readonly name: string
}

/** A message that the run sent. */
export type TestMessage = {
  readonly at: string
  readonly path: string
  /** The agent. */
  readonly to: string
  readonly channel: string
  readonly body: unknown
}

/** Why a test says less than it could: stable code → what it means. */
export const TEST_PROBLEMS = {
  MOCK_MISSING: 'An agent or a capability has no mock, so that its step waits.',
  NO_PLACE: "A run waits for a place under its workflow's limit, and none becomes free.",
  MOCK_FAILED: 'The expression of a mock could not be evaluated; the step failed with it.',
  TIME_OUT_OF_RANGE: 'A wait ends after the last date there is, so that it does not end.',
  TOO_MANY_TRANSITIONS: 'The run made more transitions than a test may, and was stopped there.',
  TOO_MUCH_TIME: 'The test took longer than it may, and was stopped there.',
  TRACE_TOO_LARGE: 'The trace is larger than a test may make it, and the run was stopped there.',
} as const

export type TestProblemCode = keyof typeof TEST_PROBLEMS

/** What kept a test from saying all. */
export type TestProblem = {
  readonly code: TestProblemCode
  readonly message: string
  /** The step, if it is about one. */
  readonly path?: string
}

/** What became of a run on a virtual clock. */
export type TestResult = {
  /** `waiting` or `running` when it did not end: see `waitsFor` and `problems`. */
  readonly status: RunStatus
  readonly output: RunOutput | null
  /** The step that failed, and why, of a failed run. */
  readonly error: (StepError & { readonly node: string }) | null
  /** ISO 8601. */
  readonly startedAt: string
  /** When it ended, or nothing more happened. */
  readonly endedAt: string
  /** The virtual time between the two, in milliseconds. */
  readonly durationMs: number
  readonly trace: readonly TraceEntry[]
  readonly waitsFor: readonly TestWait[]
  readonly messages: readonly TestMessage[]
  readonly problems: readonly TestProblem[]
  /** Names of the organization's limits, which hold in a real run and are no part of a test. */
  readonly limitsLeftOut: readonly string[]
}
