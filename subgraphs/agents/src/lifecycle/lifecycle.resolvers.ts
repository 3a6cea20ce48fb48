import { loaderOf } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { Resolvers } from '../../generated/resolvers.ts'
import { loadAgents } from '../agents/load-agents.ts'
import type { Context } from '../context.ts'
import { finalStateFor } from './final-state.ts'
import { listAgentVersions, loadAgentVersions } from './list-agent-versions.ts'
import { loadInstances } from './load-instances.ts'
import { loadRetirements } from './load-retirements.ts'
import { restoreAgent } from './restore-agent.ts'
import { scaleAgent } from './scale-agent.ts'
import { serveAgentVersion } from './serve-agent-version.ts'
import { updateAgent } from './update-agent.ts'

const agentOf = async (context: Context, id: string) =>
  (await loaderOf(context, loadAgents).load(id)) ?? fail('NOT_FOUND')
const versionOf = (context: Context, agentId: string, number: number) =>
  loaderOf(context, loadAgentVersions).load(`${agentId}/${number}`)

export const lifecycleResolvers = {
  Mutation: {
    async updateAgent(_, { input }, context) {
      const { number, created } = await updateAgent(context, context.actor, input)
      const version = (await versionOf(context, input.agentId, number)) ?? fail('NOT_FOUND')
      return { agent: await agentOf(context, input.agentId), version, created }
    },
    async serveAgentVersion(_, { input }, context) {
      await serveAgentVersion(context, context.actor, input)
      return { agent: await agentOf(context, input.agentId) }
    },
    scaleAgent: (_, { input }, context) => scaleAgent(context, context.actor, input),
    restoreAgent: async (_, { input }, context) => ({
      agent: await restoreAgent(context, context.actor, input),
    }),
  },
  Agent: {
    servingVersion: ({ id, servingVersion }, _, context) => versionOf(context, id, servingVersion),
    versions: ({ id }, page, context) => listAgentVersions(context, id, page),
    instances: async ({ id }, _, context) =>
      (await loaderOf(context, loadInstances).load(id)) ?? {
        ready: 0,
        starting: 0,
        maxConcurrentTasks: null,
      },
    retirement: ({ id }, _, context) => loaderOf(context, loadRetirements).load(id),
  },
  AgentRetirement: {
    finalState: ({ agentId, finalState }, _, context) => finalStateFor(context, agentId, finalState),
  },
} satisfies Resolvers

/** The API's names of the stored values. */
export const agentRetirementStatusValues = {
  DRAINING: 'draining',
  RETIRED: 'retired',
  CANCELLED: 'cancelled',
}
