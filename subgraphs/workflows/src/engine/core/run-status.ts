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
  paused: ['queued', 'running', 'waiting', 'failed', 'cancelled'],
  completed: [],
  failed: [],
  cancelled: [],
}

/** Whether a run may go from one status to the other. */
export const canRunBecome = (from: RunStatus, to: RunStatus): boolean => RUN_TRANSITIONS[from].includes(to)

/** Whether nothing will happen in the run any more. */
export const isRunOver = (status: RunStatus): boolean => RUN_TRANSITIONS[status].length === 0

/** Whether the run has not begun. */
export const isRunQueued = (status: RunStatus): boolean => status === 'queued'

/** Whether an operator can cancel the run. */
export const isRunCancellable = (status: RunStatus): boolean => canRunBecome(status, 'cancelled')
