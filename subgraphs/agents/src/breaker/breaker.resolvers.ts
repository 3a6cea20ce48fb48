import { loaderOf } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { Resolvers } from '../../generated/resolvers.ts'
import { loadAgents } from '../agents/load-agents.ts'
import { breakerInSeconds } from './breaker-settings.ts'
import { listBreakers, loadBreakersOfAgents } from './load-breakers.ts'
import { resetBreaker } from './reset-breaker.ts'
import { readProviderBreaker, setProviderBreaker } from './set-provider-breaker.ts'

export const breakerResolvers = {
  Query: {
    breakers: (_, page, context) => listBreakers(context, page),
    providerBreaker: async (_, { provider }, context) =>
      breakerInSeconds(await readProviderBreaker(context, context.actor, provider ?? null)),
  },
  Mutation: {
    resetBreaker: async (_, { input }, context) => ({
      breaker: await resetBreaker(context, context.actor, input),
    }),
    setProviderBreaker: async (_, { input }, context) => ({
      breaker: breakerInSeconds(await setProviderBreaker(context, context.actor, input)),
    }),
  },
  Agent: {
    breaker: async ({ id }, _, context) =>
      (await loaderOf(context, loadBreakersOfAgents).load(id)) ?? fail('NOT_FOUND'),
  },
  Breaker: {
    agent: ({ scope, subject }, _, context) =>
      scope === 'agent' ? loaderOf(context, loadAgents).load(subject) : null,
    provider: ({ scope, subject }) => (scope === 'provider' ? subject : null),
    failures: ({ failures }) => failures.length,
    openSeconds: ({ openMs }) => openMs / 1_000,
    changedAt: ({ changedAt }) => (changedAt.getTime() === 0 ? null : changedAt),
  },
} satisfies Resolvers

/** The API's names of the stored values. */
export const breakerEnums = {
  BreakerState: { CLOSED: 'closed', OPEN: 'open', HALF_OPEN: 'half_open' },
}
