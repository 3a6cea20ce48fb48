import { loaderOf } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { Resolvers } from '../../../generated/resolvers.ts'
import { loadTasks } from '../load-tasks.ts'
import { listTaskLogs } from './list-task-logs.ts'
import { searchTaskLogs } from './search-task-logs.ts'

export const logResolvers: Resolvers = {
  Query: {
    searchTaskLogs: (_, { input, first, after }, context) => searchTaskLogs(context, input, { first, after }),
  },
  Task: {
    logs: ({ id }, listing, context) => listTaskLogs(context, id, listing),
  },
  TaskLog: {
    task: async ({ taskId }, _, context) =>
      (await loaderOf(context, loadTasks).load(taskId)) ?? fail('NOT_FOUND'),
  },
}

/** The API's names of the stored values. */
export const logLevelValues = { DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' }
