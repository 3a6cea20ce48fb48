import { loaderOf } from '@tutti/runtime'
import type { DecideApprovalInput, RequestApprovalInput, Resolvers } from '../../generated/resolvers.ts'
import type { Context } from '../context.ts'
import { loadEscalationsOfRuns } from '../escalations/load-escalations-of-runs.ts'
import { referenceTo } from '../extensions/reference.ts'
import { lower, upper } from '../extensions/upper.ts'
import { approvalInbox } from './approval-inbox.ts'
import type { Verdict } from './approval-status.ts'
import { clientKey } from './client-key.ts'
import { decideApproval } from './decide-approval.ts'
import { decideApprovals } from './decide-approvals.ts'
import { delegateApprovals } from './delegate-approvals.ts'
import { endDelegation } from './end-delegation.ts'
import { approvalInboxEvents } from './inbox-events.ts'
import { listApprovals } from './list-approvals.ts'
import { listDelegations } from './list-delegations.ts'
import { loadApprovals } from './load-approvals.ts'
import { loadApprovalsOfRuns } from './load-approvals-of-runs.ts'
import { loadApprovalsOfTasks } from './load-approvals-of-tasks.ts'
import { loadDecisions } from './load-decisions.ts'
import { requestApproval } from './request-approval.ts'
import { resubmitApproval } from './resubmit-approval.ts'
import { stagesOf } from './stages-of.ts'
import { approvedDigest } from './use-approval.ts'
import { useOwnApproval } from './use-own-approval.ts'

const DECISIONS = {
  approved: 'APPROVE',
  rejected: 'REJECT',
  changes_requested: 'REQUEST_CHANGES',
} as const satisfies Record<Verdict, DecideApprovalInput['decision']>

const questionOf = ({ idempotencyKey: _, risk, stages, ...question }: RequestApprovalInput) => ({
  ...question,
  risk: risk ? lower(risk) : null,
  stages: stages?.map((stage) => ({
    ...stage,
    onDeadline: stage.onDeadline ? lower(stage.onDeadline) : null,
  })),
})

const decisionsOf = async (context: Context, id: string) =>
  (await loaderOf(context, loadDecisions).load(id)) ?? []

export const approvalResolvers = {
  Query: {
    approval: (_, { id }, context) => loaderOf(context, loadApprovals).load(id),
    approvals: (_, { status, ...page }, context) =>
      listApprovals(context, context.actor, { ...page, status: status ? lower(status) : undefined }),
    approvalInbox: (_, page, context) => approvalInbox(context, context.actor, page),
    approvalDelegations: (_, page, context) => listDelegations(context, context.actor, page),
  },
  Mutation: {
    requestApproval: async (_, { input }, context) => ({
      approval: await requestApproval(context, context.actor, {
        ...questionOf(input),
        requestKey: clientKey(context.actor, input.idempotencyKey),
      }),
    }),
    decideApproval: async (_, { input }, context) => ({
      approval: await decideApproval(context, context.actor, input),
    }),
    decideApprovals: async (_, { input }, context) => ({
      results: await decideApprovals(context, context.actor, input),
    }),
    useApproval: (_, { input }, context) => useOwnApproval(context, context.actor, input),
    resubmitApproval: async (_, { input }, context) => ({
      approval: await resubmitApproval(context, context.actor, input),
    }),
    delegateApprovals: async (_, { input }, context) => ({
      delegation: await delegateApprovals(context, context.actor, input),
    }),
    endDelegation: async (_, { input }, context) => ({
      delegation: await endDelegation(context, context.actor, input),
    }),
  },
  Subscription: {
    approvalInboxEvents: {
      subscribe: (_, { after }, context) => approvalInboxEvents(context, after ?? null),
    },
  },
  Approval: {
    __resolveReference: ({ id }, context) => loaderOf(context, loadApprovals).load(id),
    status: ({ status }) => upper(status),
    risk: ({ risk }) => upper(risk),
    stages: async (approval, _, context) => stagesOf(approval, await decisionsOf(context, approval.id)),
    decisions: ({ id }, _, context) => decisionsOf(context, id),
    approvedDigest: (approval) => approvedDigest(approval),
    run: ({ runId }) => referenceTo(runId),
    task: ({ taskId }) => referenceTo(taskId),
  },
  ApprovalStage: {
    onDeadline: ({ onDeadline }) => upper(onDeadline),
  },
  ApprovalDecision: {
    decision: ({ verdict }) => DECISIONS[verdict],
  },
  ApprovalInboxEvent: {
    approval: ({ approvalId }, _, context) => loaderOf(context, loadApprovals).load(approvalId),
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
