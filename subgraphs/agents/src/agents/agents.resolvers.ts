import { loaderOf } from '@tutti/runtime'
import type { Resolvers } from '../../generated/resolvers.ts'
import { loadTeams } from '../hierarchy/load-teams.ts'
import { listAgents } from './list-agents.ts'
import { loadAgents } from './load-agents.ts'
import { registerAgent } from './register-agent.ts'
import { retireAgent } from '../lifecycle/retire-agent.ts'

/** The API's names of the stored values. */
export const agentStatusValues = {
  DEPLOYING: 'deploying',
  ACTIVE: 'active',
  DRAINING: 'draining',
  RETIRED: 'retired',
}

export const agentResolvers = {
  Query: {
    agent: (_, { id }, context) => loaderOf(context, loadAgents).load(id),
    agents: (_, request, context) => listAgents(context, request),
  },
  Mutation: {
    registerAgent: (_, { input }, context) => registerAgent(context, context.actor, input),
    retireAgent: async (_, { input }, context) => ({
      agent: await retireAgent(context, context.actor, input),
    }),
  },
  Agent: {
    __resolveReference: ({ id }, context) => loaderOf(context, loadAgents).load(id),
    team: ({ teamId }, _, context) => (teamId === null ? null : loaderOf(context, loadTeams).load(teamId)),
  },
} satisfies Resolvers
