import type { AgentExecutor } from '@tutti/agents/domain'
import type { Actor } from '@tutti/schema'
import type { ClaimedTask, TaskOutcome } from '@tutti/workflows/domain'
import type { WorkerServices } from '../worker-services.ts'
import type { Egress } from './open-egress.ts'

/** One attempt at one task. */
export interface TaskCall {
  services: WorkerServices
  task: ClaimedTask
  agent: AgentExecutor
  actor: Actor
  /** The way to agents outside. */
  egress: Egress
  /** The same for every attempt at this task; an outside effect bears it. */
  idempotencyKey: string
  /** Aborts when the attempt's time is up or the lease is lost. */
  signal: AbortSignal
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
  options: { retryable?: boolean; retryAfterMs?: number | undefined } = {},
): TaskOutcome => ({
  type: 'failed',
  error: {
    code,
    message,
    retryable: options.retryable ?? false,
    ...(options.retryAfterMs === undefined ? {} : { retryAfterMs: options.retryAfterMs }),
  },
})
