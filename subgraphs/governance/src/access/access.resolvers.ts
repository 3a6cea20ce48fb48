import { loaderOf } from '@tutti/runtime'
import type { Resolvers } from '../../generated/resolvers.ts'
import { loadLent } from '../approvals/load-lent.ts'
import { assignRole } from './assign-role.ts'
import { breakGlass } from './break-glass.ts'
import { createApiKey } from './create-api-key.ts'
import { deactivatePrincipal } from './deactivate-principal.ts'
import { listApiKeys } from './list-api-keys.ts'
import { listAssignments } from './list-assignments.ts'
import { listBreakGlass } from './list-break-glass.ts'
import { listGroups } from './list-groups.ts'
import { listRoles } from './list-roles.ts'
import { loadApiKeys } from './load-api-keys.ts'
import { loadDeeds } from './load-deeds.ts'
import { reactivatePrincipal } from './reactivate-principal.ts'
import { removeRole } from './remove-role.ts'
import { reviewAccess } from './review-access.ts'
import { reviewBreakGlass } from './review-break-glass.ts'
import { revokeApiKey } from './revoke-api-key.ts'
import { revokeAssignment } from './revoke-assignment.ts'
import { rotateApiKey } from './rotate-api-key.ts'
import { setGroup } from './set-group.ts'
import { setRole } from './set-role.ts'

export const accessResolvers = {
  Query: {
    viewer: (_, __, { actor }) => actor,
    apiKeys: (_, __, context) => listApiKeys(context, context.actor),
    roles: (_, __, context) => listRoles(context, context.actor),
    groups: (_, __, context) => listGroups(context, context.actor),
    roleAssignments: (_, page, context) => listAssignments(context, context.actor, page),
    accessReview: (_, page, context) => reviewAccess(context, context.actor, page),
    breakGlassUses: (_, request, context) => listBreakGlass(context, context.actor, request),
  },
  Mutation: {
    createApiKey: (_, { input }, context) => createApiKey(context, context.actor, input),
    revokeApiKey: async (_, { input }, context) => ({
      apiKey: await revokeApiKey(context, context.actor, input),
    }),
    rotateApiKey: (_, { input }, context) => rotateApiKey(context, context.actor, input),
    setRole: async (_, { input }, context) => ({ role: await setRole(context, context.actor, input) }),
    removeRole: (_, { input }, context) => removeRole(context, context.actor, input),
    deactivatePrincipal: (_, { input }, context) => deactivatePrincipal(context, context.actor, input),
    reactivatePrincipal: async (_, { input }, context) => ({
      principal: await reactivatePrincipal(context, context.actor, input),
    }),
    setGroup: async (_, { input }, context) => ({ group: await setGroup(context, context.actor, input) }),
    assignRole: async (_, { input }, context) => ({
      assignment: await assignRole(context, context.actor, input),
    }),
    revokeAssignment: async (_, { input }, context) => ({
      assignment: await revokeAssignment(context, context.actor, input),
    }),
    breakGlass: async (_, { input }, context) => ({
      breakGlass: await breakGlass(context, context.actor, input),
    }),
    reviewBreakGlass: async (_, { input }, context) => ({
      breakGlass: await reviewBreakGlass(context, context.actor, input),
    }),
  },
  Viewer: {
    within: ({ within }) => within ?? [],
    validUntil: ({ validUntil }) => (validUntil === undefined ? null : new Date(validUntil)),
  },
  AccessPrincipal: {
    active: ({ deactivatedAt }) => deactivatedAt === null,
  },
  AccessReview: {
    lent: async ({ id }, _, context) => (await loaderOf(context, loadLent).load(id)) ?? [],
  },
  BreakGlass: {
    deeds: async ({ id }, _, context) => (await loaderOf(context, loadDeeds).load(id)) ?? [],
  },
  ApiKey: {
    __resolveReference: ({ id }, context) => loaderOf(context, loadApiKeys).load(id),
  },
} satisfies Resolvers
