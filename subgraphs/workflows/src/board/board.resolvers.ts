import { isId, loaderOf } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { Resolvers } from '../../generated/resolvers.ts'
import type { Context } from '../context.ts'
import { loadRuns } from '../runs/load-runs.ts'
import { loadTasks } from '../tasks/load-tasks.ts'
import type { BoardItemRow } from './board-item.ts'
import { claimBoardItems } from './claim-board-items.ts'
import { completeBoardItem } from './complete-board-item.ts'
import { failBoardItem } from './fail-board-item.ts'
import { listBoardItems } from './list-board-items.ts'
import { loadBoardItems } from './load-board-items.ts'
import { postToBoard } from './post-to-board.ts'
import { releaseBoardItem } from './release-board-item.ts'
import { renewBoardItems } from './renew-board-items.ts'

const answer = async (context: Context, { id }: { id: string }): Promise<{ item: BoardItemRow }> => ({
  item: (await loaderOf(context, loadBoardItems).load(id)) ?? fail('NOT_FOUND', { path: 'input.id' }),
})

export const boardResolvers: Resolvers = {
  Query: {
    boardItem: (_, { id }, context) => (isId(id) ? loaderOf(context, loadBoardItems).load(id) : null),
    boardItems: (_, listing, context) => listBoardItems(context, listing),
  },
  Mutation: {
    postToBoard: (_, { input }, context) => postToBoard(context, context.actor, input),
    claimBoardItems: async (_, { input }, context) => ({
      items: await claimBoardItems(context, context.actor, input),
    }),
    renewBoardItems: (_, { input }, context) => renewBoardItems(context, context.actor, input),
    async completeBoardItem(_, { input }, context) {
      await completeBoardItem(context, context.actor, input)
      return answer(context, input)
    },
    async failBoardItem(_, { input }, context) {
      await failBoardItem(context, context.actor, input)
      return answer(context, input)
    },
    async releaseBoardItem(_, { input }, context) {
      await releaseBoardItem(context, context.actor, input)
      return answer(context, input)
    },
  },
  BoardItem: {
    __resolveReference: ({ id }, context) => (isId(id) ? loaderOf(context, loadBoardItems).load(id) : null),
    agent: ({ agentId }) => (agentId === null ? null : { id: agentId }),
    task: ({ taskId }, _, context) => (taskId === null ? null : loaderOf(context, loadTasks).load(taskId)),
    run: ({ runId }, _, context) => (runId === null ? null : loaderOf(context, loadRuns).load(runId)),
  },
}

/** The API's names of the stored values. */
export const boardStatusValues = {
  OPEN: 'open',
  CLAIMED: 'claimed',
  COMPLETED: 'completed',
  FAILED: 'failed',
  WITHDRAWN: 'withdrawn',
}
