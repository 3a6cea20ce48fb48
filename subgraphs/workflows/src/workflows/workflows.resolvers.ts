import { connectionOf, isId, loaderOf, readPage } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { Resolvers } from '../../generated/resolvers.ts'
import { listRuns } from '../runs/list-runs.ts'
import { applyWorkflow } from './apply-workflow.ts'
import {
  loadLatestVersions,
  loadVersions,
  loadWorkflows,
  WORKFLOW_COLUMNS,
  type WorkflowRow,
} from './load-workflows.ts'

export const workflowResolvers: Resolvers = {
  Query: {
    workflow: (_, { id }, context) => (isId(id) ? loaderOf(context, loadWorkflows).load(id) : null),
    async workflowByName(_, { name }, { database, actor }) {
      if (name.includes('\0')) return null // PostgreSQL refuses to compare with it, and no name holds one.
      const [row] = await database.readTenant<WorkflowRow>(
        actor,
        `select ${WORKFLOW_COLUMNS} from workflow where organization_id = $1 and name = $2`,
        [actor.organizationId, name],
      )
      return row ?? null
    },
    async workflows(_, page, { database, actor }) {
      const { take, afterId } = readPage(page)
      const rows = await database.readTenant<WorkflowRow>(
        actor,
        `select ${WORKFLOW_COLUMNS} from workflow
         where organization_id = $1 and ($2::uuid is null or id > $2) order by id limit $3`,
        [actor.organizationId, afterId, take],
      )
      return connectionOf(rows, take)
    },
  },
  Mutation: {
    applyWorkflow: (_, { input }, context) => applyWorkflow(context, context.actor, input.document),
  },
  ApplyWorkflowPayload: {
    workflow: async ({ id }, _, context) =>
      (await loaderOf(context, loadWorkflows).load(id)) ?? fail('NOT_FOUND'),
  },
  Workflow: {
    __resolveReference: ({ id }, context) => (isId(id) ? loaderOf(context, loadWorkflows).load(id) : null),
    latestVersion: async ({ id }, _, context) =>
      (await loaderOf(context, loadLatestVersions).load(id)) ?? fail('NOT_FOUND'),
    runs: ({ id }, { first, after, status }, context) =>
      listRuns(context, { first, after, status, workflowId: id }),
  },
  WorkflowVersion: {
    __resolveReference: ({ id }, context) => (isId(id) ? loaderOf(context, loadVersions).load(id) : null),
  },
}
