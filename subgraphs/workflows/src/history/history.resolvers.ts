import { loaderOf } from '@tutti/runtime'
import type { Resolvers } from '../../generated/resolvers.ts'
import { loadTasks } from '../tasks/load-tasks.ts'
import { listHistory } from './list-history.ts'

export const historyResolvers: Resolvers = {
  Run: {
    history: ({ id }, listing, context) => listHistory(context, id, listing),
  },
  RunHistoryEntry: {
    task: ({ taskId }, _, context) => (taskId === null ? null : loaderOf(context, loadTasks).load(taskId)),
  },
}
