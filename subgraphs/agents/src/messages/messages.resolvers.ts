import { loaderOf } from '@tutti/runtime'
import type { Resolvers } from '../../generated/resolvers.ts'
import { loadAgents } from '../agents/load-agents.ts'
import { loadMessages, loadMessagesOfRuns } from './load-messages.ts'

export const messageResolvers = {
  OutboundMessage: {
    __resolveReference: ({ id }, context) => loaderOf(context, loadMessages).load(id),
    agent: ({ agentId }, _, context) =>
      agentId === null ? null : loaderOf(context, loadAgents).load(agentId),
  },
  Run: {
    messages: async ({ id }, _, context) => (await loaderOf(context, loadMessagesOfRuns).load(id)) ?? [],
  },
} satisfies Resolvers
