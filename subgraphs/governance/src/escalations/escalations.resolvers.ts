import { loaderOf } from '@tutti/runtime'
import type { Resolvers } from '../../generated/resolvers.ts'
import { loadApprovals } from '../approvals/load-approvals.ts'
import { referenceTo } from '../extensions/reference.ts'
import { lower, upper } from '../extensions/upper.ts'
import { acknowledgeEscalation } from './acknowledge-escalation.ts'
import { escalationEvents } from './escalation-events.ts'
import { listEscalations } from './list-escalations.ts'
import { loadEscalations } from './load-escalations.ts'
import { resolveEscalation } from './resolve-escalation.ts'

export const escalationResolvers = {
  Query: {
    escalation: (_, { id }, context) => loaderOf(context, loadEscalations).load(id),
    escalations: (_, { status, ...page }, context) =>
      listEscalations(context, context.actor, { ...page, status: status ? lower(status) : undefined }),
  },
  Mutation: {
    acknowledgeEscalation: async (_, { input }, context) => ({
      escalation: await acknowledgeEscalation(context, context.actor, input),
    }),
    resolveEscalation: async (_, { input }, context) => ({
      escalation: await resolveEscalation(context, context.actor, input),
    }),
  },
  Subscription: {
    escalationEvents: { subscribe: (_, args, context) => escalationEvents(context, args) },
  },
  Escalation: {
    __resolveReference: ({ id }, context) => loaderOf(context, loadEscalations).load(id),
    status: ({ status }) => upper(status),
    approval: ({ approvalId }, _, context) =>
      approvalId === null ? null : loaderOf(context, loadApprovals).load(approvalId),
    run: ({ runId }) => referenceTo(runId),
    task: ({ taskId }) => referenceTo(taskId),
  },
  EscalationEvent: {
    escalation: ({ escalationId }, _, context) => loaderOf(context, loadEscalations).load(escalationId),
  },
} satisfies Resolvers
