import { loaderOf } from '@tutti/runtime'
import type { Resolvers } from '../../generated/resolvers.ts'
import { referenceTo } from '../extensions/reference.ts'
import { appendAuditEntry } from './append-audit-entry.ts'
import { listAuditEntries } from './list-audit-entries.ts'
import { loadAuditEntries } from './load-audit-entries.ts'

export const auditResolvers = {
  Query: {
    auditEntries: (_, page, context) => listAuditEntries(context, context.actor, page),
  },
  Mutation: {
    appendAuditEntry: async (_, { input }, context) => ({
      entry: await appendAuditEntry(context, context.actor, input),
    }),
  },
  AuditEntry: {
    __resolveReference: ({ id }, context) => loaderOf(context, loadAuditEntries).load(id),
    agent: ({ agentId }) => referenceTo(agentId),
  },
} satisfies Resolvers
