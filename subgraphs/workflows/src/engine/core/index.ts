export { advance, FALLBACK_STATE } from './advance.ts'
export type { AttemptError, CoreEvent } from './event.ts'
export { idempotencyKey } from './idempotency-key.ts'
export { retryDelay } from './retry-delay.ts'
export { runStatusAfter } from './run-status-after.ts'
export { isRunCancellable, isRunOver, RUN_STATUSES, RUN_TRANSITIONS } from './run-status.ts'
export type { RunStatus } from './run-status.ts'
export type { RunView } from './run-view.ts'
export {
  canTaskBecome,
  isTaskClaimable,
  isTaskOver,
  isTaskWaiting,
  TASK_STATUSES,
  TASK_TRANSITIONS,
} from './task-status.ts'
export type { TaskStatus } from './task-status.ts'
export type { RunOutput, Transition } from './transition.ts'
