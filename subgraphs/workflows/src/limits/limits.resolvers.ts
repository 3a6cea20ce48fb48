import { loaderOf } from '@tutti/runtime'
import type { Resolvers } from '../../generated/resolvers.ts'
import { loadWorkflows } from '../workflows/load-workflows.ts'
import { listLimits } from './list-limits.ts'
import { loadLimitUse } from './load-limit-use.ts'
import { removeLimit } from './remove-limit.ts'
import { setLimit } from './set-limit.ts'

export const limitResolvers: Resolvers = {
  Query: {
    limits: (_, page, context) => listLimits(context, page),
  },
  Mutation: {
    setLimit: async (_, { input }, context) => ({ limit: await setLimit(context, context.actor, input) }),
    removeLimit: async (_, { input }, context) => ({
      limit: await removeLimit(context, context.actor, input.id),
    }),
  },
  Limit: {
    workflow: ({ scope, subject }, _, context) =>
      scope === 'workflow' ? loaderOf(context, loadWorkflows).load(subject) : null,
    agent: ({ scope, subject }) => (scope === 'agent' ? { id: subject } : null),
    key: ({ scope, subject }) => (scope === 'key' ? subject : null),
    use: ({ id }, _, context) => loaderOf(context, loadLimitUse).load(id),
  },
}

/** The API's names of the stored values. */
export const limitScopes = { ORGANIZATION: 'organization', WORKFLOW: 'workflow', AGENT: 'agent', KEY: 'key' }
export const limitCounts = { TASKS: 'tasks', RUNS: 'runs', COST: 'cost' }
export const limitSources = {
  SETTINGS: 'settings',
  DEFINITION: 'definition',
  API: 'api',
  INSTANCES: 'instances',
}
