import type { Resolvers } from '../../generated/resolvers.ts'
import { retryPutAsideEvents } from './retry-put-aside-events.ts'

export const putAsideResolvers = {
  Mutation: {
    retryPutAsideEvents: async (_, { input }, context) => ({
      count: await retryPutAsideEvents(context, context.actor, input),
    }),
  },
} satisfies Resolvers
