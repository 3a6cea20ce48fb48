import { loaderOf } from '@tutti/runtime'
import type { Resolvers } from '../../../generated/resolvers.ts'
import {
  loadBudgetsOfDomains,
  loadBudgetsOfOrganizations,
  loadBudgetsOfTeams,
} from '../../budgets/load-budgets.ts'
import { loadDomains } from '../../hierarchy/load-domains.ts'
import { loadTeams } from '../../hierarchy/load-teams.ts'
import { listQuotas } from './list-quotas.ts'
import { loadTasksUnderWay } from './load-tasks-under-way.ts'
import { setQuota } from './set-quota.ts'

export const quotaResolvers: Resolvers = {
  Query: { quotas: (_, page, context) => listQuotas(context, page) },
  Mutation: {
    setQuota: async (_, { input }, context) => ({ quota: await setQuota(context, context.actor, input) }),
  },
  Quota: {
    domain: ({ domainId }, _, context) =>
      domainId === null ? null : loaderOf(context, loadDomains).load(domainId),
    team: ({ teamId }, _, context) => (teamId === null ? null : loaderOf(context, loadTeams).load(teamId)),
    tasks: async ({ id, tasks }, _, context) => ({
      ...tasks,
      measured: (await loaderOf(context, loadTasksUnderWay).load(id)) ?? 0,
    }),
    budgets: async ({ domainId, teamId }, _, context) => {
      if (teamId !== null) return (await loaderOf(context, loadBudgetsOfTeams).load(teamId)) ?? []
      if (domainId !== null) return (await loaderOf(context, loadBudgetsOfDomains).load(domainId)) ?? []
      return (await loaderOf(context, loadBudgetsOfOrganizations).load(context.actor.organizationId)) ?? []
    },
  },
  QuotaBound: {
    max: ({ most }) => most,
    allocated: ({ used }) => used,
    used: ({ measured }) => measured ?? null,
    left: ({ most, used }) => (most === null ? null : Math.max(0, most - used)),
  },
}
