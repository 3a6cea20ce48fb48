import { defineSubgraph, mergeResolvers } from '@tutti/runtime'
import { assignmentResolvers, recoveryActionValues } from './assignment/assignment.resolvers.ts'
import { boardResolvers, boardStatusValues } from './board/board.resolvers.ts'
import { containmentResolvers, containmentScopeValues } from './containment/containment.resolvers.ts'
import type { Context, Services } from './context.ts'
import { externalResolvers, taskStopValues } from './external/external.resolvers.ts'
import {
  operationResolvers,
  operationStatusValues,
  runActionValues,
} from './operations/operations.resolvers.ts'
import { limitCounts, limitResolvers, limitScopes, limitSources } from './limits/limits.resolvers.ts'
import { runControlResolvers, waitReasonValues } from './runs/control/control.resolvers.ts'
import { historyResolvers } from './history/history.resolvers.ts'
import { migrationResolvers, runMigrationOutcomes } from './migrations/migrations.resolvers.ts'
import { runResolvers, runStatusValues } from './runs/runs.resolvers.ts'
import { signalResolvers } from './runs/signals.resolvers.ts'
import { settingsResolvers } from './settings/settings.resolvers.ts'
import { taskControlResolvers } from './tasks/control/control.resolvers.ts'
import { logLevelValues, logResolvers } from './tasks/logs/logs.resolvers.ts'
import { progressResolvers } from './tasks/progress/progress.resolvers.ts'
import { taskResolvers, taskStatusValues } from './tasks/tasks.resolvers.ts'
import {
  testDecisions,
  testRunResolvers,
  testTraceEvents,
  testWaitKinds,
} from './test-runs/test-runs.resolvers.ts'
import { triggerEnums, triggerResolvers } from './triggers/triggers.resolvers.ts'
import { valueResolvers } from './value/value.resolvers.ts'
import { stepChangeKinds, workflowResolvers } from './workflows/workflows.resolvers.ts'

export type { Context, Services } from './context.ts'
export { internalCalls } from './internal-calls.ts'
export { receiveCallback } from './callbacks/receive-callback.ts'
export { receiveWebhook } from './triggers/receive-webhook.ts'
export type { WebhookAnswer, WebhookCall } from './triggers/webhook-answer.ts'

/** Definitions, runs and tasks. */
export const workflows = defineSubgraph<Services, Context>({
  name: 'workflows',
  directory: import.meta.dirname,
  resolvers: mergeResolvers(
    workflowResolvers,
    runResolvers,
    runControlResolvers,
    taskResolvers,
    taskControlResolvers,
    operationResolvers,
    containmentResolvers,
    logResolvers,
    progressResolvers,
    historyResolvers,
    migrationResolvers,
    triggerResolvers,
    signalResolvers,
    limitResolvers,
    settingsResolvers,
    testRunResolvers,
    assignmentResolvers,
    boardResolvers,
    externalResolvers,
    valueResolvers,
    {
      RunStatus: runStatusValues,
      TaskStatus: taskStatusValues,
      WaitReason: waitReasonValues,
      RunAction: runActionValues,
      OperationStatus: operationStatusValues,
      ContainmentScope: containmentScopeValues,
      StepChangeKind: stepChangeKinds,
      LogLevel: logLevelValues,
      RunMigrationOutcome: runMigrationOutcomes,
      LimitScope: limitScopes,
      LimitCounts: limitCounts,
      LimitSource: limitSources,
      TestTraceEvent: testTraceEvents,
      TestWaitKind: testWaitKinds,
      TestDecision: testDecisions,
      BoardItemStatus: boardStatusValues,
      TaskStop: taskStopValues,
      RecoveryAction: recoveryActionValues,
      ...triggerEnums,
    },
  ),
  context: (services, actor) => ({ ...services, actor }),
})
