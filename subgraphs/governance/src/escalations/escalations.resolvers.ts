import { loaderOf } from '@tutti/runtime'
import type { Resolvers } from '../../generated/resolvers.ts'
import { loadApprovals } from '../approvals/load-approvals.ts'
import { referenceTo } from '../extensions/reference.ts'
import { lower, upper } from '../extensions/upper.ts'
import { loadIncidents } from '../incidents/load-incidents.ts'
import { acknowledgeEscalation } from './acknowledge-escalation.ts'
import { commentEscalation } from './comment-escalation.ts'
import { escalationEvents } from './escalation-events.ts'
import { listEscalationPolicies } from './list-escalation-policies.ts'
import { listEscalations } from './list-escalations.ts'
import { loadEscalations } from './load-escalations.ts'
import { loadSteps } from './load-steps.ts'
import { raiseEscalation } from './raise-escalation.ts'
import { reassignEscalation } from './reassign-escalation.ts'
import { removeEscalationPolicy } from './remove-escalation-policy.ts'
import { resolveEscalation } from './resolve-escalation.ts'
import { setEscalationPolicy } from './set-escalation-policy.ts'

export const escalationResolvers = {
  Query: {
    escalation: (_, { id }, context) => loaderOf(context, loadEscalations).load(id),
    escalations: (_, { status, level, ...page }, context) =>
      listEscalations(context, context.actor, {
        ...page,
        status: status ? lower(status) : undefined,
        level: level ? lower(level) : undefined,
      }),
    escalationPolicies: (_, page, context) => listEscalationPolicies(context, context.actor, page),
  },
  Mutation: {
    acknowledgeEscalation: async (_, { input }, context) => ({
      escalation: await acknowledgeEscalation(context, context.actor, input),
    }),
    resolveEscalation: async (_, { input }, context) => ({
      escalation: await resolveEscalation(context, context.actor, input),
    }),
    raiseEscalation: async (_, { input }, context) => ({
      escalation: await raiseEscalation(context, context.actor, input),
    }),
    reassignEscalation: async (_, { input }, context) => ({
      escalation: await reassignEscalation(context, context.actor, input),
    }),
    commentEscalation: async (_, { input }, context) => ({
      escalation: await commentEscalation(context, context.actor, input),
    }),
    setEscalationPolicy: async (_, { input }, context) => ({
      policy: await setEscalationPolicy(context, context.actor, input),
    }),
    removeEscalationPolicy: async (_, { input }, context) => ({
      id: await removeEscalationPolicy(context, context.actor, input),
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
    team: ({ teamId }) => referenceTo(teamId),
    incident: ({ incidentId }, _, context) =>
      incidentId === null ? null : loaderOf(context, loadIncidents).load(incidentId),
    steps: ({ id }, _, context) =>
      loaderOf(context, loadSteps)
        .load(id)
        .then((steps) => steps ?? []),
  },
  Responsible: { kind: ({ kind }) => upper(kind) },
  EscalationLevelRule: { level: ({ level }) => upper(level) },
  EscalationEvent: {
    escalation: ({ escalationId }, _, context) => loaderOf(context, loadEscalations).load(escalationId),
  },
} satisfies Resolvers
