import { loaderOf } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { Resolvers } from '../../generated/resolvers.ts'
import { loadAgentsOfTeams } from '../agents/load-agents.ts'
import { createDomain } from './create-domain.ts'
import { createTeam } from './create-team.ts'
import { loadDomains, loadDomainsOfOrganizations } from './load-domains.ts'
import { loadOrganizations } from './load-organizations.ts'
import { loadTeams, loadTeamsOfDomains } from './load-teams.ts'

export const hierarchyResolvers = {
  Query: {
    organization: async (_, _args, context) =>
      (await loaderOf(context, loadOrganizations).load(context.actor.organizationId)) ?? fail('NOT_FOUND'),
    team: (_, { id }, context) => loaderOf(context, loadTeams).load(id),
  },
  Mutation: {
    createDomain: async (_, { input }, context) => ({
      domain: await createDomain(context, context.actor, input),
    }),
    createTeam: async (_, { input }, context) => ({ team: await createTeam(context, context.actor, input) }),
  },
  Organization: {
    __resolveReference: ({ id }, context) => loaderOf(context, loadOrganizations).load(id),
    domains: async ({ id }, _, context) =>
      (await loaderOf(context, loadDomainsOfOrganizations).load(id)) ?? [],
  },
  Domain: {
    __resolveReference: ({ id }, context) => loaderOf(context, loadDomains).load(id),
    teams: async ({ id }, _, context) => (await loaderOf(context, loadTeamsOfDomains).load(id)) ?? [],
  },
  Team: {
    __resolveReference: ({ id }, context) => loaderOf(context, loadTeams).load(id),
    domain: async ({ domainId }, _, context) =>
      (await loaderOf(context, loadDomains).load(domainId)) ?? fail('INTERNAL'),
    agents: async ({ id }, _, context) => (await loaderOf(context, loadAgentsOfTeams).load(id)) ?? [],
  },
} satisfies Resolvers
