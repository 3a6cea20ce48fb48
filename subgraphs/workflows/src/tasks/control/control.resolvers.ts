import { loaderOf } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { Resolvers } from '../../../generated/resolvers.ts'
import type { Context } from '../../context.ts'
import { loadTasks, type TaskRow } from '../load-tasks.ts'
import { cancelTask } from './cancel-task.ts'
import { completeTaskByHand } from './complete-task-by-hand.ts'
import { prioritizeTask } from './prioritize-task.ts'
import { reassignTask } from './reassign-task.ts'
import { retryTask } from './retry-task.ts'
import { skipTask } from './skip-task.ts'

const answer = async (context: Context, { id }: { id: string }): Promise<{ task: TaskRow }> => ({
  task: (await loaderOf(context, loadTasks).load(id)) ?? fail('NOT_FOUND'),
})

export const taskControlResolvers: Resolvers = {
  Mutation: {
    async cancelTask(_, { input }, context) {
      await cancelTask(context, context.actor, input)
      return answer(context, input)
    },
    async retryTask(_, { input }, context) {
      await retryTask(context, context.actor, input)
      return answer(context, input)
    },
    async skipTask(_, { input }, context) {
      await skipTask(context, context.actor, input)
      return answer(context, input)
    },
    async completeTaskByHand(_, { input }, context) {
      await completeTaskByHand(context, context.actor, input)
      return answer(context, input)
    },
    async reassignTask(_, { input }, context) {
      await reassignTask(context, context.actor, input)
      return answer(context, input)
    },
    async prioritizeTask(_, { input }, context) {
      await prioritizeTask(context, context.actor, input)
      return answer(context, input)
    },
  },
}
