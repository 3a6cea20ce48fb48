import { loaderOf } from '@tutti/runtime'
import type { Resolvers } from '../../../generated/resolvers.ts'
import { loadAgents } from '../../agents/load-agents.ts'
import { deployAgent } from './deploy-agent.ts'
import { deploymentEvents } from './deployment-events.ts'
import { listDeployments, loadDeployments } from './list-deployments.ts'

export const deployResolvers = {
  Query: {
    deployment: (_, { id }, context) => loaderOf(context, loadDeployments).load(id),
    deployments: (_, request, context) => listDeployments(context, request),
  },
  Mutation: {
    deployAgent: async (_, { input }, context) => ({
      deployment: await deployAgent(context, context.actor, input),
    }),
  },
  Subscription: {
    deploymentEvents: { subscribe: (_, args, context) => deploymentEvents(context, args) },
  },
  AgentDeploymentEvent: {
    deployment: ({ deploymentId }, _, context) => loaderOf(context, loadDeployments).load(deploymentId),
    agent: ({ agentId }, _, context) => loaderOf(context, loadAgents).load(agentId),
  },
  AgentDeployment: {
    agent: ({ agentId }, _, context) => loaderOf(context, loadAgents).load(agentId),
    instances: ({ request }) => request.instances,
  },
} satisfies Resolvers

const stageNames = {
  VALIDATE: 'validate',
  ALLOCATE: 'allocate',
  CREATE_INSTANCES: 'create_instances',
  REGISTER: 'register',
  MONITOR: 'monitor',
  HAND_OVER: 'hand_over',
}

/** The API's names of the stored values. */
export const deployEnums = {
  AgentDeploymentStatus: {
    RUNNING: 'running',
    UNDOING: 'undoing',
    COMPLETED: 'completed',
    FAILED: 'failed',
  },
  AgentDeploymentStageName: stageNames,
  AgentDeploymentStageStatus: {
    PENDING: 'pending',
    RUNNING: 'running',
    DONE: 'done',
    FAILED: 'failed',
    UNDONE: 'undone',
  },
}
