import { loaderOf } from '@tutti/runtime'
import type { Resolvers } from '../../generated/resolvers.ts'
import { approveTool } from './approve-tool.ts'
import { loadToolPinsOfAgents } from './load-tool-pins.ts'

export const toolResolvers = {
  Mutation: {
    approveTool: async (_, { input }, context) => ({ pin: await approveTool(context, context.actor, input) }),
  },
  Agent: {
    toolPins: async ({ id }, _, context) => (await loaderOf(context, loadToolPinsOfAgents).load(id)) ?? [],
  },
} satisfies Resolvers
