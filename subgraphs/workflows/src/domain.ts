export {
  compileSchema,
  defineWorkflow,
  type Given,
  type Governed,
  Steps,
  type StepInput,
  type WorkflowSettings,
  writeDefinition,
} from './definitions/index.ts'
export { bindApproval, resumeReviews, resumeTask, type TaskDecision } from './engine/resume-task.ts'
export { failureKindOf, recover, saysBroken } from './recovery/recover.ts'
export { idempotencyKey } from './engine/core/index.ts'
export type { ClaimedTask } from './engine/worker/claimed-task.ts'
export type { AttemptOutcome, TaskOutcome } from './engine/worker/outcome.ts'
export type { ExecuteTask, RecoverOverdue } from './engine/worker/attempt.ts'
export { startTaskRunner, type TaskRunner } from './engine/worker/task-runner.ts'
export { wakeEventWaits } from './engine/wake-waiting.ts'
export { deleteOldFirings } from './triggers/delete-old-firings.ts'
export { createEventReactions, type EventReactions } from './triggers/react-to-events.ts'
export { MOST_SCHEDULES, scheduleDueTriggers } from './triggers/schedule-due-triggers.ts'
export { MOST_FIRINGS, startDueFirings, untilNextFiring } from './triggers/start-due-firings.ts'
export { type AgentWishes, syncAgentTriggers, type WantedTrigger } from './triggers/sync-agent-triggers.ts'
export { applyWorkflow } from './workflows/apply-workflow.ts'
export { proveStops } from './containment/prove-stops.ts'
export { findOperations, workOperation } from './operations/work-operation.ts'
export { controlRun } from './runs/control/control-run.ts'
export { failOverdueRuns } from './runs/control/fail-overdue-runs.ts'
export { starterOf } from './runs/starter-of.ts'
export { giveInput } from './external/give-input.ts'
export { type RunRequest, type StartedRun, startRuns } from './runs/start-runs.ts'
export { appendTaskLogs, MOST_LINE_BYTES, type TaskLogLine } from './tasks/logs/append-task-logs.ts'
export { deleteExpiredLogs } from './tasks/logs/delete-expired-logs.ts'
export {
  createProgressReporter,
  type ProgressReporter,
  type ProgressReporterOptions,
} from './tasks/progress/progress-reporter.ts'
export {
  type LastReport,
  type ProgressAnswer,
  type ProgressReport,
  readLastReport,
  reportProgress,
} from './tasks/progress/report-progress.ts'
export { issueReportToken } from './tasks/progress/report-token.ts'
export {
  type AgentWork,
  handOverWork,
  type HandedOver,
  workOfAgent,
} from './tasks/hand-over/hand-over-work.ts'
export { testWorkflow, type TestWorkflowOptions } from './test-runs/test-workflow.ts'
export type { TestResult } from './test-runs/test-result.ts'
export { applySettings } from './settings/apply-settings.ts'
