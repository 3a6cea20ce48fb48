export { advance } from './advance.ts'
export { acceptsEvent, checkBoardResult, checkInput, checkSignal } from './check-values.ts'
export { decide } from './decide.ts'
export type { AttemptError, CoreEvent, UndoableStep } from './event.ts'
export { idempotencyKey } from './idempotency-key.ts'
export { retryDelay } from './retry-delay.ts'
export { runStatusAfter } from './run-status-after.ts'
export {
  isRunCancellable,
  isRunOver,
  isRunPausable,
  isRunPaused,
  isRunQueued,
  isRunRetryable,
  RUN_STATUSES,
  RUN_TRANSITIONS,
} from './run-status.ts'
export type { RunStatus } from './run-status.ts'
export type { RunView } from './run-view.ts'
export { FALLBACK_STATE } from './steps/end-body.ts'
export { STEP_ERRORS, stepError } from './step-error.ts'
export {
  canTaskBecome,
  isTaskClaimable,
  isTaskOver,
  isTaskWaiting,
  TASK_STATUSES,
  TASK_TRANSITIONS,
} from './task-status.ts'
export type { TaskStatus } from './task-status.ts'
export type { Arrival, CreateTask, NewStrand, RunOutput, StepError, Transition } from './transition.ts'
