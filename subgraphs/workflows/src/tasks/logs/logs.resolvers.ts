import { loaderOf } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { Resolvers } from '../../../generated/resolvers.ts'
import { loadTasks } from '../load-tasks.ts'
import { findReportingTask } from '../progress/find-reporting-task.ts'
import { appendTaskLogs } from './append-task-logs.ts'
import { isLogLevel, type LogLevel } from './log-level.ts'
import { listTaskLogs } from './list-task-logs.ts'
import { searchTaskLogs } from './search-task-logs.ts'

const levelOf = (value: string): LogLevel =>
  isLogLevel(value) ? value : fail('BAD_INPUT', { path: 'input.lines' })

export const logResolvers: Resolvers = {
  Query: {
    searchTaskLogs: (_, { input, first, after }, context) => searchTaskLogs(context, input, { first, after }),
  },
  Mutation: {
    async appendTaskLog(_, { input: { token, lines } }, context) {
      const { id, attempt } = await findReportingTask(context, context.actor, token)
      const said = lines.map(({ level, message, data, time }) => ({
        level: levelOf(level),
        message,
        taskId: id,
        attempt,
        ...(data == null ? {} : { data }),
        ...(time == null ? {} : { time }),
      }))
      await appendTaskLogs(context, context.actor, said, 'input.lines')
      return { task: (await loaderOf(context, loadTasks).load(id)) ?? fail('NOT_FOUND') }
    },
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
