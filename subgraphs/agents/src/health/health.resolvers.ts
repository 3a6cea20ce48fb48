import { loaderOf } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { Resolvers } from '../../generated/resolvers.ts'
import { loadAgents } from '../agents/load-agents.ts'
import { agentHealthEvents } from './agent-health-events.ts'
import { loadHealth, systemHealth } from './load-health.ts'

export const healthResolvers = {
  Query: {
    systemHealth: (_, _arguments, context) => systemHealth(context),
  },
  Subscription: {
    agentHealth: { subscribe: (_, args, context) => agentHealthEvents(context, args) },
  },
  Agent: {
    health: async ({ id }, _, context) => (await loaderOf(context, loadHealth).load(id)) ?? fail('NOT_FOUND'),
  },
  AgentHealth: {
    utilisation: ({ running, slots }) => running / Math.max(1, slots),
  },
  AgentHealthEvent: {
    agent: ({ agentId }, _, context) =>
      agentId === null ? null : loaderOf(context, loadAgents).load(agentId),
  },
} satisfies Resolvers

/** The API's names of the stored values. */
export const healthEnums = {
  HealthStatus: { UNKNOWN: 'unknown', HEALTHY: 'healthy', UNHEALTHY: 'unhealthy' },
}
