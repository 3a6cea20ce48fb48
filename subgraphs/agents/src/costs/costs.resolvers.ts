import { loaderOf } from '@tutti/runtime'
import type { Resolvers } from '../../generated/resolvers.ts'
import { loadAgents } from '../agents/load-agents.ts'
import { loadDomains } from '../hierarchy/load-domains.ts'
import { loadTeams } from '../hierarchy/load-teams.ts'
import { listModelCalls } from './list-model-calls.ts'
import { sumCosts } from './sum-costs.ts'

export const costResolvers: Resolvers = {
  Query: {
    costs: (_, request, context) => sumCosts(context, request),
    modelCalls: (_, request, context) => listModelCalls(context, request),
  },
  CostRow: {
    domain: ({ domain }, _, context) =>
      domain === null ? null : loaderOf(context, loadDomains).load(domain),
    team: ({ team }, _, context) => (team === null ? null : loaderOf(context, loadTeams).load(team)),
    agent: ({ agent }, _, context) => (agent === null ? null : loaderOf(context, loadAgents).load(agent)),
    workflowId: ({ workflow }) => workflow,
    runId: ({ run }) => run,
    taskId: ({ task }) => task,
    modelId: ({ model }) => model,
  },
  ModelCall: {
    costUsd: ({ costUsd }) => Number(costUsd),
    agent: ({ agentId }, _, context) =>
      agentId === null ? null : loaderOf(context, loadAgents).load(agentId),
  },
}

/** The API's names of what costs are summed by. */
export const costDimensions = {
  ORGANIZATION: 'organization',
  DOMAIN: 'domain',
  TEAM: 'team',
  AGENT: 'agent',
  WORKFLOW: 'workflow',
  RUN: 'run',
  TASK: 'task',
  MODEL: 'model',
  DAY: 'day',
}
