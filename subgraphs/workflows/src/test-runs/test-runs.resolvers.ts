import type { Resolvers } from '../../generated/resolvers.ts'
import type { TraceEvent } from './test-result.ts'
import { testRun } from './test-run.ts'

export const testRunResolvers: Resolvers = {
  Mutation: {
    testRun: (_, { input }, context) => testRun(context, context.actor, input),
  },
}

/** The API's names of what happens. */
export const testTraceEvents: Readonly<Record<string, TraceEvent>> = {
  RUN_STARTED: 'run_started',
  RUN_COMPLETED: 'run_completed',
  RUN_FAILED: 'run_failed',
  RUN_CANCELLED: 'run_cancelled',
  TASK_STARTED: 'task_started',
  TASK_WAITING: 'task_waiting',
  TASK_RETRYING: 'task_retrying',
  TASK_COMPLETED: 'task_completed',
  TASK_FAILED: 'task_failed',
  TASK_SKIPPED: 'task_skipped',
  TASK_CANCELLED: 'task_cancelled',
  MESSAGE_SENT: 'message_sent',
  CHOICE_MADE: 'choice_made',
  STATE_WRITTEN: 'state_written',
}
export const testWaitKinds = { MOCK: 'mock', REVIEW: 'review', SIGNAL: 'signal', EVENT: 'event' }
export const testDecisions = { APPROVE: 'approve', REJECT: 'reject', EXPIRE: 'expire' }
