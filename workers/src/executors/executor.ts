import type { AgentExecutor } from '@tutti/agents/domain'
import type { Actor, FailureKind } from '@tutti/schema'
import type { ClaimedTask, LastReport, ProgressReport, TaskOutcome } from '@tutti/workflows/domain'
import type { AttemptSecrets } from '../credentials/attempt-secrets.ts'
import type { WorkerServices } from '../worker-services.ts'
import type { Egress } from './open-egress.ts'

/** How urgent a line of a task's log is. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** What an executor says while it works; nothing of it throws or is waited for. */
export interface Voice {
  /** How far it is; a sign of life too. As often as it likes: of many in a second the newest is kept. */
  report(progress: ProgressReport): void
  /** A sign of life, for steps with a `heartbeat_timeout`. */
  heartbeat(): void
  /** A line for the task's log; together with its data at most 16 KiB. */
  log(level: LogLevel, message: string, data?: unknown): void
}

/** One attempt at one task. */
export interface TaskCall extends Voice {
  services: WorkerServices
  task: ClaimedTask
  agent: AgentExecutor
  actor: Actor
  /** The credentials it may use. */
  secrets: AttemptSecrets
  /** The way to agents outside. */
  egress: Egress
  /** The same for every attempt at this task; an outside effect bears it. */
  idempotencyKey: string
  /** How often the attempt asked for each governed call of a tool, by the call's hash. */
  toolCalls: Map<string, number>
  /** Aborts when the attempt's time is up or the lease is lost. */
  signal: AbortSignal
  /** What was last reported before this attempt began, to go on from; null the first time. */
  lastReport: Pick<LastReport, 'percent' | 'message' | 'data'> | null
}

/** A way of doing a task. */
export type Executor = (call: TaskCall) => Promise<TaskOutcome>

export const succeeded = (output: unknown, costUsd = 0): TaskOutcome => ({
  type: 'succeeded',
  output,
  costUsd,
})

export const failed = (
  code: string,
  message: string,
  options: {
    retryable?: boolean
    retryAfterMs?: number | undefined
    /** What sort of failure it is, where the code does not say. */
    fault?: FailureKind | undefined
  } = {},
): TaskOutcome => ({
  type: 'failed',
  error: {
    code,
    message,
    retryable: options.retryable ?? false,
    ...(options.retryAfterMs === undefined ? {} : { retryAfterMs: options.retryAfterMs }),
    ...(options.fault === undefined ? {} : { fault: options.fault }),
  },
})
