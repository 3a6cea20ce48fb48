import { loaderOf } from '@tutti/runtime'
import type { Resolvers } from '../../generated/resolvers.ts'
import { createApiKey } from './create-api-key.ts'
import { listApiKeys } from './list-api-keys.ts'
import { loadApiKeys } from './load-api-keys.ts'
import { revokeApiKey } from './revoke-api-key.ts'

export const accessResolvers = {
  Query: {
    viewer: (_, __, { actor }) => actor,
    apiKeys: (_, __, context) => listApiKeys(context, context.actor),
  },
  Mutation: {
    createApiKey: (_, { input }, context) => createApiKey(context, context.actor, input),
    revokeApiKey: async (_, { input }, context) => ({
      apiKey: await revokeApiKey(context, context.actor, input),
    }),
  },
  ApiKey: {
    __resolveReference: ({ id }, context) => loaderOf(context, loadApiKeys).load(id),
  },
} satisfies Resolvers
