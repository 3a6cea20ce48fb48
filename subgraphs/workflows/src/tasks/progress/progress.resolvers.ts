import { loaderOf } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { Resolvers } from '../../../generated/resolvers.ts'
import type { Context } from '../../context.ts'
import { loadTasks, type TaskRow } from '../load-tasks.ts'
import { findReportingTask } from './find-reporting-task.ts'
import {
  beatFromOutside,
  type ProgressAnswer,
  reportFromOutside,
  type ReportingTask,
} from './report-progress.ts'

async function answer(
  context: Context,
  { id }: ReportingTask,
  kept: ProgressAnswer,
): Promise<{ task: TaskRow }> {
  if (kept === 'stale') fail('STALE_LEASE')
  return { task: (await loaderOf(context, loadTasks).load(id)) ?? fail('NOT_FOUND') }
}

export const progressResolvers: Resolvers = {
  Mutation: {
    async reportProgress(_, { input: { token, ...report } }, context) {
      const task = await findReportingTask(context, context.actor, token)
      const kept = await reportFromOutside(context.database, context.actor, task, report, 'input')
      return answer(context, task, kept)
    },
    async recordHeartbeat(_, { input: { token } }, context) {
      const task = await findReportingTask(context, context.actor, token)
      return answer(context, task, await beatFromOutside(context.database, context.actor, task))
    },
  },
}
