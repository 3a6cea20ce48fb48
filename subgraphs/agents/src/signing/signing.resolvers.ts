import type { Resolvers } from '../../generated/resolvers.ts'
import { revealSigningSecret } from './reveal-signing-secret.ts'

export const signingResolvers = {
  Mutation: {
    revealSigningSecret: async (_, { input }, context) => ({
      secret: await revealSigningSecret(context, context.actor, input),
    }),
  },
} satisfies Resolvers
