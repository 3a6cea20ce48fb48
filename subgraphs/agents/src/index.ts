import { defineSubgraph, mergeResolvers } from '@tutti/runtime'
import { agentResolvers } from './agents/agents.resolvers.ts'
import type { Context, Services } from './context.ts'
import { credentialResolvers } from './credentials/credentials.resolvers.ts'
import { hierarchyResolvers } from './hierarchy/hierarchy.resolvers.ts'
import { messageResolvers } from './messages/messages.resolvers.ts'

/** Who does the work: the hierarchy, the agents in it, and what they sent outside. */
export const agents = defineSubgraph<Services, Context>({
  name: 'agents',
  directory: import.meta.dirname,
  resolvers: mergeResolvers(agentResolvers, credentialResolvers, hierarchyResolvers, messageResolvers),
  context: (services, actor) => ({ ...services, actor }),
})
