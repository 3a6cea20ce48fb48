import { loaderOf } from '@tutti/runtime'
import type { Resolvers } from '../../generated/resolvers.ts'
import { lower, upper } from '../extensions/upper.ts'
import { createPolicy } from './create-policy.ts'
import { decidePolicyException } from './decide-policy-exception.ts'
import { listPolicies } from './list-policies.ts'
import { loadActiveVersions } from './load-active-versions.ts'
import { loadPolicies } from './load-policies.ts'
import { loadPolicyExceptions } from './load-policy-exceptions.ts'
import { loadPolicyVersions } from './load-policy-versions.ts'
import { requestPolicyException } from './request-policy-exception.ts'
import { retirePolicy } from './retire-policy.ts'
import { reviewPolicy } from './review-policy.ts'
import { submitPolicy } from './submit-policy.ts'
import { updatePolicy } from './update-policy.ts'

export const policyResolvers = {
  Query: {
    policy: (_, { id }, context) => loaderOf(context, loadPolicies).load(id),
    policies: (_, { kind, status, ...page }, context) =>
      listPolicies(context, context.actor, {
        ...page,
        kind: kind ? lower(kind) : undefined,
        status: status ? lower(status) : undefined,
      }),
  },
  Mutation: {
    createPolicy: async (_, { input }, context) => ({
      policy: await createPolicy(context, context.actor, input),
    }),
    updatePolicy: async (_, { input }, context) => ({
      policy: await updatePolicy(context, context.actor, input),
    }),
    submitPolicy: async (_, { input }, context) => ({
      policy: await submitPolicy(context, context.actor, input),
    }),
    reviewPolicy: async (_, { input }, context) => ({
      policy: await reviewPolicy(context, context.actor, input),
    }),
    retirePolicy: async (_, { input }, context) => ({
      policy: await retirePolicy(context, context.actor, input),
    }),
    requestPolicyException: async (_, { input }, context) => ({
      exception: await requestPolicyException(context, context.actor, input),
    }),
    decidePolicyException: async (_, { input }, context) => ({
      exception: await decidePolicyException(context, context.actor, input),
    }),
  },
  Policy: {
    kind: ({ kind }) => upper(kind),
    createdBy: ({ createdBy }) => createdBy.name,
    versions: async ({ id }, _, context) => (await loaderOf(context, loadPolicyVersions).load(id)) ?? [],
    active: async ({ id }, _, context) => loaderOf(context, loadActiveVersions).load(id),
    exceptions: async ({ id }, _, context) => (await loaderOf(context, loadPolicyExceptions).load(id)) ?? [],
  },
  PolicyVersion: {
    status: ({ status }) => upper(status),
    effect: ({ effect }) => upper(effect),
    writtenBy: ({ writtenBy }) => writtenBy.name,
    submittedBy: ({ submittedBy }) => submittedBy?.name ?? null,
    reviewedBy: ({ reviewedBy }) => reviewedBy?.name ?? null,
  },
  PolicyException: {
    requestedBy: ({ requestedBy }) => requestedBy.name,
    decidedBy: ({ decidedBy }) => decidedBy?.name ?? null,
  },
} satisfies Resolvers
