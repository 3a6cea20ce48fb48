import { loaderOf } from '@tutti/runtime'
import type { Resolvers } from '../../generated/resolvers.ts'
import { loadAgents } from '../agents/load-agents.ts'
import { loadDomains } from '../hierarchy/load-domains.ts'
import { loadTeams } from '../hierarchy/load-teams.ts'
import { listBudgets } from './list-budgets.ts'
import {
  loadBudgets,
  loadBudgetsOfAgents,
  loadBudgetsOfDomains,
  loadBudgetsOfOrganizations,
  loadBudgetsOfTeams,
} from './load-budgets.ts'
import { loadBudgetUses, useKey } from './load-budget-uses.ts'
import { removeBudget } from './remove-budget.ts'
import { setBudget } from './set-budget.ts'
import { useOf } from './use-of.ts'

export const budgetResolvers: Resolvers = {
  Query: {
    budget: (_, { id }, context) => loaderOf(context, loadBudgets).load(id),
    budgets: (_, request, context) => listBudgets(context, request),
  },
  Mutation: {
    setBudget: async (_, { input }, context) => ({
      budget: await setBudget(context, context.actor, input),
    }),
    removeBudget: async (_, { input }, context) => ({
      budget: await removeBudget(context, context.actor, input.id),
    }),
  },
  Budget: {
    __resolveReference: ({ id }, context) => loaderOf(context, loadBudgets).load(id),
    domain: ({ domainId }, _, context) =>
      domainId === null ? null : loaderOf(context, loadDomains).load(domainId),
    team: ({ teamId }, _, context) => (teamId === null ? null : loaderOf(context, loadTeams).load(teamId)),
    agent: ({ agentId }, _, context) =>
      agentId === null ? null : loaderOf(context, loadAgents).load(agentId),
    maxUsd: ({ maxUsd }) => (maxUsd === null ? null : Number(maxUsd)),
    maxTokens: ({ maxTokens }) => (maxTokens === null ? null : Number(maxTokens)),
    maxCalls: ({ maxCalls }) => (maxCalls === null ? null : Number(maxCalls)),
    use: async (budget, of, context) =>
      useOf(budget, await loaderOf(context, loadBudgetUses).load(useKey({ budgetId: budget.id, ...of }))),
  },
  Organization: {
    budgets: async ({ id }, _, context) =>
      (await loaderOf(context, loadBudgetsOfOrganizations).load(id)) ?? [],
  },
  Domain: {
    budgets: async ({ id }, _, context) => (await loaderOf(context, loadBudgetsOfDomains).load(id)) ?? [],
  },
  Team: {
    budgets: async ({ id }, _, context) => (await loaderOf(context, loadBudgetsOfTeams).load(id)) ?? [],
  },
  Agent: {
    budgets: async ({ id }, _, context) => (await loaderOf(context, loadBudgetsOfAgents).load(id)) ?? [],
  },
}

/** The API's names of the stored values. */
export const budgetEnums = {
  BudgetScope: {
    ORGANIZATION: 'organization',
    DOMAIN: 'domain',
    TEAM: 'team',
    AGENT: 'agent',
    RUN: 'run',
    STEP: 'step',
  },
  BudgetWindow: { DAY: 'day', TOTAL: 'total' },
  BudgetBreachAction: { CHEAPER_MODEL: 'cheaper_model', PAUSE: 'pause', STOP: 'stop' },
}
