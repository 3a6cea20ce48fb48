import { loaderOf } from '@tutti/runtime'
import type { Resolvers } from '../../generated/resolvers.ts'
import { loadEscalationsOfRuns } from '../escalations/load-escalations-of-runs.ts'
import { referenceTo } from '../extensions/reference.ts'
import { lower, upper } from '../extensions/upper.ts'
import { decideApproval } from './decide-approval.ts'
import { listApprovals } from './list-approvals.ts'
import { loadApprovals } from './load-approvals.ts'
import { loadApprovalsOfRuns } from './load-approvals-of-runs.ts'
import { loadApprovalsOfTasks } from './load-approvals-of-tasks.ts'
import { requestApproval } from './request-approval.ts'

export const approvalResolvers = {
  Query: {
    approval: (_, { id }, context) => loaderOf(context, loadApprovals).load(id),
    approvals: (_, { status, ...page }, context) =>
      listApprovals(context, context.actor, { ...page, status: status ? lower(status) : undefined }),
  },
  Mutation: {
    requestApproval: async (_, { input: { idempotencyKey, ...question } }, context) => ({
      // A client's keys are its own: another's, or the engine's, can never be met by chance or on purpose.
      approval: await requestApproval(context, context.actor, {
        ...question,
        requestKey: `client/${context.actor.id}/${idempotencyKey}`,
      }),
    }),
    decideApproval: async (_, { input }, context) => ({
      approval: await decideApproval(context, context.actor, input),
    }),
  },
  Approval: {
    __resolveReference: ({ id }, context) => loaderOf(context, loadApprovals).load(id),
    status: ({ status }) => upper(status),
    run: ({ runId }) => referenceTo(runId),
    task: ({ taskId }) => referenceTo(taskId),
  },
  Run: {
    approvals: async ({ id }, _, context) => (await loaderOf(context, loadApprovalsOfRuns).load(id)) ?? [],
    escalations: async ({ id }, _, context) =>
      (await loaderOf(context, loadEscalationsOfRuns).load(id)) ?? [],
  },
  Task: {
    approval: ({ id }, _, context) => loaderOf(context, loadApprovalsOfTasks).load(id),
  },
} satisfies Resolvers
