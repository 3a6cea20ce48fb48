import type { Resolvers } from '../../generated/resolvers.ts'
import { lower, upper } from '../extensions/upper.ts'
import { listPutAsideEvents } from './list-put-aside-events.ts'
import { retryPutAsideEvents } from './retry-put-aside-events.ts'

export const putAsideResolvers = {
  Query: {
    putAsideEvents: (_, { status, ...page }, context) =>
      listPutAsideEvents(context, context.actor, { ...page, status: status ? lower(status) : undefined }),
  },
  PutAsideEvent: {
    status: ({ status }) => upper(status),
  },
  Mutation: {
    retryPutAsideEvents: async (_, { input }, context) => ({
      count: await retryPutAsideEvents(context, context.actor, input),
    }),
  },
} satisfies Resolvers
