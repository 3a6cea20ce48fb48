import { loaderOf } from '@tutti/runtime'
import type { Resolvers } from '../../generated/resolvers.ts'
import { loadAgents } from '../agents/load-agents.ts'
import { deleteCredential } from './delete-credential.ts'
import { listCredentials } from './list-credentials.ts'
import { rotateCredential } from './rotate-credential.ts'
import { rotateDataKey } from './rotate-data-key.ts'
import { setCredential } from './set-credential.ts'

export const credentialResolvers = {
  Query: {
    credentials: (_, request, context) => listCredentials(context, request),
  },
  Mutation: {
    setCredential: async (_, { input }, context) => ({
      credential: await setCredential(context, context.actor, input),
    }),
    rotateCredential: async (_, { input }, context) => ({
      credential: await rotateCredential(context, context.actor, input),
    }),
    deleteCredential: async (_, { input }, context) => ({
      id: await deleteCredential(context, context.actor, input),
    }),
    rotateDataKey: (_, { input }, context) => rotateDataKey(context, context.actor, input),
  },
  Credential: {
    agent: ({ agentId }, _, context) =>
      agentId === null ? null : loaderOf(context, loadAgents).load(agentId),
  },
} satisfies Resolvers
