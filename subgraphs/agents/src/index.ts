import { defineSubgraph, mergeResolvers } from '@tutti/runtime'
import { agentResolvers, agentStatusValues } from './agents/agents.resolvers.ts'
import type { Context, Services } from './context.ts'
import { credentialResolvers } from './credentials/credentials.resolvers.ts'
import { hierarchyResolvers } from './hierarchy/hierarchy.resolvers.ts'
import { agentRetirementStatusValues, lifecycleResolvers } from './lifecycle/lifecycle.resolvers.ts'
import { messageResolvers } from './messages/messages.resolvers.ts'
import { modelResolvers } from './models/models.resolvers.ts'

/** Who does the work: the hierarchy, the agents in it, what they sent outside, and the models they ask. */
export const agents = defineSubgraph<Services, Context>({
  name: 'agents',
  directory: import.meta.dirname,
  resolvers: mergeResolvers(
    agentResolvers,
    credentialResolvers,
    hierarchyResolvers,
    lifecycleResolvers,
    { AgentStatus: agentStatusValues, AgentRetirementStatus: agentRetirementStatusValues },
    messageResolvers,
    modelResolvers,
  ),
  context: (services, actor) => ({ ...services, actor }),
})
