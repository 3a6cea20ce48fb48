import { FAILURE_KINDS, RECOVERY_ACTIONS } from '@tutti/schema'
import type { Resolvers } from '../../generated/resolvers.ts'
import { breakerInSeconds } from '../breaker/breaker-settings.ts'
import type { RecoveryRule } from './reliability-settings.ts'
import { readReliabilityOf, setReliability } from './set-reliability.ts'

export const reliabilityResolvers = {
  Query: {
    reliability: (_, { agentId }, context) => readReliabilityOf(context, context.actor, agentId ?? null),
  },
  Mutation: {
    setReliability: async (_, { input }, context) => ({
      reliability: await setReliability(context, context.actor, input),
    }),
  },
  Reliability: {
    breaker: ({ breaker }) => breakerInSeconds(breaker),
    health: ({ health }) => ({
      path: health.path,
      intervalSeconds: health.intervalMs / 1_000,
      timeoutSeconds: health.timeoutMs / 1_000,
      unhealthyAfter: health.unhealthyAfter,
      healthyAfter: health.healthyAfter,
      syntheticInput: health.syntheticInput,
    }),
    recovery: ({ recovery }): RecoveryRule[] =>
      FAILURE_KINDS.flatMap((kind) => (recovery[kind] ? [{ kind, actions: recovery[kind] }] : [])),
    fallbackAnswer: ({ fallbackAnswer }) => fallbackAnswer ?? null,
  },
} satisfies Resolvers

/** The API's names of the stored values. */
export const reliabilityEnums = {
  FailureKind: Object.fromEntries(FAILURE_KINDS.map((kind) => [kind.toUpperCase(), kind])),
  RecoveryAction: Object.fromEntries(RECOVERY_ACTIONS.map((action) => [action.toUpperCase(), action])),
}
