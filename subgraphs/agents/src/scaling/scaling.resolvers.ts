import { loadNames } from '@tutti/prisma'
import { loaderOf } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { Resolvers } from '../../generated/resolvers.ts'
import { listScalingDecisions } from './list-scaling-decisions.ts'
import { loadSamples, loadScaling, minutesOf, notBefore } from './load-scaling.ts'
import { setScalingPolicy } from './set-scaling-policy.ts'
import { simulateScaling } from './simulate-scaling.ts'

export const scalingResolvers = {
  ScalingDecision: {
    by: async ({ by }, _, context) => ({
      ...by,
      name: by.name ?? (await loaderOf(context, loadNames).load(by.id)) ?? by.id,
    }),
  },
  Query: {
    simulateScaling: (_, { input }, context) => simulateScaling(context, context.actor, input),
  },
  Mutation: {
    setScalingPolicy: async (_, { input }, context) => ({
      agent: await setScalingPolicy(context, context.actor, input),
    }),
  },
  Agent: {
    scaling: async ({ id }, _, context) =>
      (await loaderOf(context, loadScaling).load(id)) ?? fail('NOT_FOUND'),
    load: async ({ id }, { minutes }, context) =>
      (await loaderOf(context, loadSamples).load(`${id}/${minutesOf(minutes)}`)) ?? [],
    scalingDecisions: ({ id }, page, context) => listScalingDecisions(context, id, page),
  },
  AgentScaling: {
    noGrowthBefore: (scaling) => notBefore(scaling, 'up'),
    noShrinkBefore: (scaling) => notBefore(scaling, 'down'),
  },
  ScalingPolicy: {
    targetResponseSeconds: ({ targetResponseMs }) =>
      targetResponseMs === null ? null : targetResponseMs / 1_000,
    upCooldownSeconds: ({ upCooldownMs }) => upCooldownMs / 1_000,
    downCooldownSeconds: ({ downCooldownMs }) => downCooldownMs / 1_000,
  },
  SimulatedStep: {
    at: ({ at }) => new Date(at),
    actualInstances: ({ actual }) => actual?.instances ?? null,
    actualRunning: ({ actual }) => actual?.running ?? null,
    actualQueued: ({ actual }) => actual?.queued ?? null,
  },
  SimulatedDecision: {
    at: ({ at }) => new Date(at),
  },
} satisfies Resolvers

/** The API's names of the stored values. */
export const scalingEnums = { ScalingCause: { AUTOMATIC: 'automatic', MANUAL: 'manual' } }
