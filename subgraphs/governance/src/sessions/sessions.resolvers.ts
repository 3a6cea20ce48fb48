import type { Resolvers } from '../../generated/resolvers.ts'
import { endSessions } from './end-sessions.ts'
import { listIdentityProviders } from './list-identity-providers.ts'
import { removeIdentityProvider } from './remove-identity-provider.ts'
import { rewrapIdentityProviders } from './rewrap-identity-providers.ts'
import { setIdentityProvider } from './set-identity-provider.ts'

export const sessionResolvers = {
  IdentityProvider: {
    redirectPath: ({ id }) => `/auth/callback/${id}`,
  },
  Query: {
    identityProviders: (_, __, context) => listIdentityProviders(context, context.actor),
  },
  Mutation: {
    setIdentityProvider: async (_, { input }, context) => ({
      identityProvider: await setIdentityProvider(context, context.actor, input),
    }),
    removeIdentityProvider: (_, { input }, context) => removeIdentityProvider(context, context.actor, input),
    rewrapIdentityProviders: async (_, { input }, context) => ({
      rewrapped: await rewrapIdentityProviders(context, context.actor, input),
    }),
    endSessions: async (_, { input }, context) => ({
      sessionsEnded: await endSessions(context, context.actor, input),
    }),
  },
} satisfies Resolvers
