import { loaderOf } from '@tutti/runtime'
import type { Resolvers } from '../../../generated/resolvers.ts'
import { loadAgents } from '../../agents/load-agents.ts'
import { listRebalances } from './list-rebalances.ts'
import { loadWorkShares } from './load-work-shares.ts'
import { planRebalance } from './plan-rebalance.ts'
import { readSituation } from './read-situation.ts'
import { rebalance } from './rebalance.ts'
import { readRebalancing, setRebalancing } from './set-rebalancing.ts'

export const rebalanceResolvers: Resolvers = {
  Query: {
    planRebalance: async (_, __, { database, actor }) => {
      const situation = await readSituation(actor.organizationId, (text, parameters) =>
        database.readTenant(actor, text, [...parameters]),
      )
      const { actions, overloaded } = planRebalance(situation)
      return { actions: actions.map((action) => ({ ...action, refusal: null })), overloaded }
    },
    rebalances: (_, page, context) => listRebalances(context, page),
    rebalancing: (_, __, context) => readRebalancing(context, context.actor),
  },
  Mutation: {
    rebalance: (_, { input }, context) => rebalance(context, context.actor, input),
    setRebalancing: async (_, { input }, context) => ({
      rebalancing: await setRebalancing(context, context.actor, input),
    }),
  },
  Agent: {
    workShares: async ({ id }, _, context) => (await loaderOf(context, loadWorkShares).load(id)) ?? [],
  },
  WorkShare: {
    to: ({ toAgentId }, _, context) => loaderOf(context, loadAgents).load(toAgentId),
  },
  Rebalance: { at: ({ createdAt }) => createdAt },
  RebalanceAction: {
    agent: ({ agentId }, _, context) => loaderOf(context, loadAgents).load(agentId),
    taker: (action, _, context) =>
      action.action === 'migrate' ? loaderOf(context, loadAgents).load(action.toAgentId) : null,
    takerFigures: (action) => (action.action === 'migrate' ? action.toFigures : null),
  },
  OverloadedAgent: {
    agent: ({ agentId }, _, context) => loaderOf(context, loadAgents).load(agentId),
  },
}

/** The API's names of the stored values. */
export const rebalanceEnums = {
  RebalanceActionKind: { GROW: 'grow', SHRINK: 'shrink', MIGRATE: 'migrate' },
  RebalanceStatus: { PLANNED: 'planned', APPLIED: 'applied' },
  RebalanceCause: { REQUEST: 'request', SCHEDULE: 'schedule' },
} as const
