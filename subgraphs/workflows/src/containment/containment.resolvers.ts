import { isId, loaderOf } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { Resolvers } from '../../generated/resolvers.ts'
import { loadRuns } from '../runs/load-runs.ts'
import { loadTasks } from '../tasks/load-tasks.ts'
import { loadWorkflows } from '../workflows/load-workflows.ts'
import { contain } from './contain.ts'
import { liftContainment } from './lift-containment.ts'
import { listContainments } from './list-containments.ts'
import { loadContainments, loadStops } from './load-containments.ts'

export const containmentResolvers: Resolvers = {
  Query: {
    containment: (_, { id }, context) => (isId(id) ? loaderOf(context, loadContainments).load(id) : null),
    containments: (_, listing, context) => listContainments(context, listing),
  },
  Mutation: {
    async contain(_, { input }, context) {
      return { containment: await contain(context, context.actor, input) }
    },
    async liftContainment(_, { input }, context) {
      await liftContainment(context, context.actor, input)
      return { containment: (await loaderOf(context, loadContainments).load(input.id)) ?? fail('NOT_FOUND') }
    },
  },
  Containment: {
    agent: ({ scope, targetId }) => (scope === 'agent' ? { id: targetId } : null),
    workflow: ({ scope, targetId }, _, context) =>
      scope === 'workflow' ? loaderOf(context, loadWorkflows).load(targetId) : null,
    running: async ({ id }, _, context) => (await loaderOf(context, loadStops).load(id)) ?? [],
  },
  ContainedWork: {
    task: ({ taskId }, _, context) => (taskId === null ? null : loaderOf(context, loadTasks).load(taskId)),
    run: ({ runId }, _, context) => loaderOf(context, loadRuns).load(runId),
    agent: ({ agentId }) => (agentId === null ? null : { id: agentId }),
  },
}

/** The API's names of the stored values. */
export const containmentScopeValues = {
  AGENT: 'agent',
  WORKFLOW: 'workflow',
  DOMAIN: 'domain',
  ORGANIZATION: 'organization',
}
