/** Every status of a run. */
export const RUN_STATUSES = [
  'queued',
  'running',
  'waiting',
  'paused',
  'completed',
  'failed',
  'cancelled',
] as const

/** Where a run is; `waiting`: all its open work waits for a person, a time or a signal. */
export type RunStatus = (typeof RUN_STATUSES)[number]

/** From each status, the ones that may follow. The picture is in docs/state-machines.md. */
export const RUN_TRANSITIONS: Readonly<Record<RunStatus, readonly RunStatus[]>> = {
  // A first step that is a review waits at once; one that is a failing condition fails at once.
  queued: ['running', 'waiting', 'paused', 'completed', 'failed', 'cancelled'],
  running: ['waiting', 'paused', 'completed', 'failed', 'cancelled'],
  waiting: ['running', 'paused', 'completed', 'failed', 'cancelled'],
  // To completed: the work that was under way was the last.
  paused: ['queued', 'running', 'waiting', 'completed', 'failed', 'cancelled'],
  completed: [],
  // By an operator's retry alone: the steps that failed are done again, as a new generation.
  failed: ['running'],
  cancelled: [],
}

/** Whether a run may go from one status to the other. */
export const canRunBecome = (from: RunStatus, to: RunStatus): boolean => RUN_TRANSITIONS[from].includes(to)

const LAST: readonly RunStatus[] = ['completed', 'failed', 'cancelled']

/** Whether nothing will happen in the run any more by itself. */
export const isRunOver = (status: RunStatus): boolean => LAST.includes(status)

/** Whether the run has not begun. */
export const isRunQueued = (status: RunStatus): boolean => status === 'queued'

/** Whether an operator can cancel the run. */
export const isRunCancellable = (status: RunStatus): boolean => canRunBecome(status, 'cancelled')

/** Whether an operator can pause the run. */
export const isRunPausable = (status: RunStatus): boolean => canRunBecome(status, 'paused')

/** Whether no new work of the run begins until it is resumed. */
export const isRunPaused = (status: RunStatus): boolean => status === 'paused'

/** Whether an operator can have the run's failed steps done again. */
export const isRunRetryable = (status: RunStatus): boolean =>
  isRunOver(status) && canRunBecome(status, 'running')
