import { loadNames } from '@tutti/prisma'
import { loaderOf } from '@tutti/runtime'
import type { Resolvers } from '../../generated/resolvers.ts'
import { loadTasks } from '../tasks/load-tasks.ts'
import { listHistory } from './list-history.ts'

export const historyResolvers: Resolvers = {
  Run: {
    history: ({ id }, listing, context) => listHistory(context, id, listing),
  },
  ActorRef: {
    name: async ({ id, name }, _, context) => name ?? (await loaderOf(context, loadNames).load(id)) ?? id,
  },
  RunHistoryEntry: {
    task: ({ taskId }, _, context) => (taskId === null ? null : loaderOf(context, loadTasks).load(taskId)),
  },
}
