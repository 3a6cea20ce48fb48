import type { FailureKind, RecoveryAction } from '@tutti/schema'
import type { AttemptError } from '../core/index.ts'

/** What was done about a failure within the attempt itself. */
export interface OwnRecovery {
  kind: FailureKind
  action: RecoveryAction
  code: string
}

/** What became of an attempt: what the task came to, or that it is to be begun anew and does not count. */
export type AttemptOutcome =
  | TaskOutcome
  /** Its run was paused on its behalf: the step begins anew when that is resumed, or at once when it is already. */
  | { type: 'put_back' }

/** What an attempt at a task came to. */
export type TaskOutcome =
  | { type: 'succeeded'; output: unknown; costUsd?: number; recovery?: OwnRecovery }
  | { type: 'failed'; error: AttemptError; costUsd?: number; recovery?: OwnRecovery }
  | { type: 'timed_out' }
  /** A person is asked; the task goes on when the approval is decided. */
  | { type: 'waiting'; approvalId: string }
  /** A worker outside is to do it, within the attempt's time. */
  | { type: 'waiting'; approvalId: null }
