import { connectionOf, isId, loaderOf, readPage } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { Resolvers } from '../../generated/resolvers.ts'
import { loadRuns } from '../runs/load-runs.ts'
import { loadTasks, TASK_COLUMNS, type TaskRow } from './load-tasks.ts'
import { taskEvents } from './task-events.ts'

export const taskResolvers: Resolvers = {
  Query: {
    task: (_, { id }, context) => (isId(id) ? loaderOf(context, loadTasks).load(id) : null),
  },
  Subscription: {
    taskEvents: {
      subscribe: (_, args, context) => ({
        async *[Symbol.asyncIterator]() {
          for await (const event of taskEvents(context, args)) yield { taskEvents: event }
        },
      }),
    },
  },
  TaskEvent: {
    task: ({ taskId }, _, context) => loaderOf(context, loadTasks).load(taskId),
    run: ({ runId }, _, context) => loaderOf(context, loadRuns).load(runId),
  },
  Task: {
    __resolveReference: ({ id }, context) => (isId(id) ? loaderOf(context, loadTasks).load(id) : null),
    run: async ({ runId }, _, context) =>
      (await loaderOf(context, loadRuns).load(runId)) ?? fail('NOT_FOUND'),
    agent: ({ agentId }) => (agentId === null ? null : { id: agentId }),
    costUsd: ({ costUsd }) => Number(costUsd),
  },
  Agent: {
    async tasks({ id }, page, { database, actor }) {
      const { take, afterId } = readPage(page)
      if (!isId(id)) return connectionOf<TaskRow>([], take)
      const rows = await database.readTenant<TaskRow>(
        actor,
        `select ${TASK_COLUMNS} from task
         where organization_id = $1 and agent_id = $2 and ($3::uuid is null or id < $3) order by id desc limit $4`,
        [actor.organizationId, id, afterId, take],
      )
      return connectionOf(rows, take)
    },
  },
}

/** The API's names of the stored values. */
export const taskStatusValues = {
  READY: 'ready',
  RUNNING: 'running',
  WAITING: 'waiting',
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  SKIPPED: 'skipped',
}
