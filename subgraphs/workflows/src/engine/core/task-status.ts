/** Every status of a task. Trying again is `ready` with a later `ready_at`. */
export const TASK_STATUSES = [
  'ready',
  'running',
  'waiting',
  'completed',
  'failed',
  'cancelled',
  'skipped',
] as const

/** Where a task is; `waiting`: for a person, a time or a signal, and no worker holds it. */
export type TaskStatus = (typeof TASK_STATUSES)[number]

/** From each status, the ones that may follow. The picture is in docs/state-machines.md. */
export const TASK_TRANSITIONS: Readonly<Record<TaskStatus, readonly TaskStatus[]>> = {
  // Straight to completed or failed: a step done or given up by hand before a worker claimed it.
  ready: ['running', 'completed', 'failed', 'cancelled', 'skipped'],
  // Back to ready: the attempt failed and another follows, or the worker's lease ran out.
  running: ['ready', 'waiting', 'completed', 'failed', 'cancelled', 'skipped'],
  waiting: ['ready', 'completed', 'failed', 'cancelled', 'skipped'],
  completed: [],
  failed: [],
  cancelled: [],
  skipped: [],
}

/** Whether a task may go from one status to the other. */
export const canTaskBecome = (from: TaskStatus, to: TaskStatus): boolean =>
  TASK_TRANSITIONS[from].includes(to)

/** Whether the task has its last status. */
export const isTaskOver = (status: TaskStatus): boolean => TASK_TRANSITIONS[status].length === 0

/** Whether a worker may claim the task, once its time has come. */
export const isTaskClaimable = (status: TaskStatus): boolean => status === 'ready'

/** Whether the task waits for something other than a worker. */
export const isTaskWaiting = (status: TaskStatus): boolean => status === 'waiting'
