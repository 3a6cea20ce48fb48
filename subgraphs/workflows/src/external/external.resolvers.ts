import { loaderOf } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { Resolvers } from '../../generated/resolvers.ts'
import type { Context } from '../context.ts'
import { loadRuns } from '../runs/load-runs.ts'
import { loadTasks, type TaskRow } from '../tasks/load-tasks.ts'
import { claimTasks } from './claim-tasks.ts'
import { completeTask } from './complete-task.ts'
import { failTask } from './fail-task.ts'
import { heartbeatTask } from './heartbeat-task.ts'
import { releaseTask } from './release-task.ts'
import { tasksAvailable } from './tasks-available.ts'

const answer = async (context: Context, id: string): Promise<{ task: TaskRow }> => ({
  task: (await loaderOf(context, loadTasks).load(id)) ?? fail('NOT_FOUND', { path: 'input.token' }),
})

export const externalResolvers: Resolvers = {
  Mutation: {
    claimTasks: async (_, { input }, context) => ({
      tasks: await claimTasks(context, context.actor, input),
    }),
    heartbeatTask: (_, { input }, context) => heartbeatTask(context, context.actor, input),
    completeTask: async (_, { input }, context) =>
      answer(context, await completeTask(context, context.actor, input)),
    failTask: async (_, { input }, context) => answer(context, await failTask(context, context.actor, input)),
    releaseTask: async (_, { input }, context) =>
      answer(context, await releaseTask(context, context.actor, input)),
  },
  Subscription: {
    tasksAvailable: {
      subscribe: (_, args, context) => ({
        async *[Symbol.asyncIterator]() {
          for await (const event of tasksAvailable(context, args)) yield { tasksAvailable: event }
        },
      }),
    },
  },
  TasksAvailable: {
    agents: ({ agentIds }) => agentIds.map((id) => ({ id })),
  },
  ClaimedTask: {
    id: ({ taskId }) => taskId,
    run: async ({ runId }, _, context) =>
      (await loaderOf(context, loadRuns).load(runId)) ?? fail('NOT_FOUND'),
  },
}

/** The API's names of the stored values. */
export const taskStopValues = {
  CANCELLED: 'cancelled',
  PAUSED: 'paused',
  CONTAINED: 'contained',
  TAKEN: 'taken',
}
