import type { AttemptError } from '../core/index.ts'

/** What an attempt at a task came to. */
export type TaskOutcome =
  | { type: 'succeeded'; output: unknown; costUsd?: number }
  | { type: 'failed'; error: AttemptError; costUsd?: number }
  | { type: 'timed_out' }
  /** A person is asked; the task goes on when the approval is decided. */
  | { type: 'waiting'; approvalId: string }
  /** A worker outside is to do it, within the attempt's time. */
  | { type: 'waiting'; approvalId: null }
