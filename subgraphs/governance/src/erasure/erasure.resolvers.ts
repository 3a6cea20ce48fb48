import type { Resolvers } from '../../generated/resolvers.ts'
import { eraseSubject } from './erase-subject.ts'
import { listErasures } from './list-erasures.ts'
import { readDataSubject } from './read-data-subject.ts'

export const erasureResolvers = {
  Query: {
    dataSubject: (_, request, context) => readDataSubject(context, context.actor, request),
    erasures: (_, page, context) => listErasures(context, context.actor, page),
  },
  Mutation: {
    eraseSubject: async (_, { input }, context) => ({
      erasure: await eraseSubject(context, context.actor, input),
    }),
  },
} satisfies Resolvers
