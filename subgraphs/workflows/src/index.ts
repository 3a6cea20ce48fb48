import { defineSubgraph, mergeResolvers } from '@tutti/runtime'
import type { Context, Services } from './context.ts'
import { runResolvers, runStatusValues } from './runs/runs.resolvers.ts'
import { taskResolvers, taskStatusValues } from './tasks/tasks.resolvers.ts'
import { workflowResolvers } from './workflows/workflows.resolvers.ts'

export type { Context, Services } from './context.ts'

/** Definitions, runs and tasks. */
export const workflows = defineSubgraph<Services, Context>({
  name: 'workflows',
  directory: import.meta.dirname,
  resolvers: mergeResolvers(workflowResolvers, runResolvers, taskResolvers, {
    RunStatus: runStatusValues,
    TaskStatus: taskStatusValues,
  }),
  context: (services, actor) => ({ ...services, actor }),
})
