import type { Resolvers } from '../../generated/resolvers.ts'
import { listLegalHolds, releaseLegalHold, setLegalHold } from './legal-holds.ts'
import { readRetention, setAuditRetention } from './set-audit-retention.ts'

export const auditRetentionResolvers = {
  Query: {
    auditRetention: (_, _args, context) => readRetention(context, context.actor),
    legalHolds: (_, page, context) => listLegalHolds(context, context.actor, page),
  },
  Mutation: {
    setAuditRetention: async (_, { input }, context) => ({
      retention: await setAuditRetention(context, context.actor, input),
    }),
    setLegalHold: async (_, { input }, context) => ({
      hold: await setLegalHold(context, context.actor, input),
    }),
    releaseLegalHold: async (_, { input }, context) => ({
      hold: await releaseLegalHold(context, context.actor, input),
    }),
  },
} satisfies Resolvers
