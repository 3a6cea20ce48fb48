import { connectionOf, isId, loaderOf, readPage } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { Resolvers } from '../../generated/resolvers.ts'
import type { Context } from '../context.ts'
import { listRuns } from '../runs/list-runs.ts'
import { type AppliedWorkflow, applyWorkflow } from './apply-workflow.ts'
import { compareDefinitions } from './compare-definitions.ts'
import { listVersions } from './list-versions.ts'
import { loadVersionsByNumber } from './load-versions-by-number.ts'
import {
  loadLatestVersions,
  loadPublishedVersions,
  loadVersions,
  loadWorkflows,
  WORKFLOW_COLUMNS,
  type WorkflowRow,
} from './load-workflows.ts'
import { publishVersion } from './publish-version.ts'

const payloadFields = {
  workflow: async ({ id }: AppliedWorkflow, _: object, context: Context) =>
    (await loaderOf(context, loadWorkflows).load(id)) ?? fail('NOT_FOUND'),
  version: async ({ id, version }: AppliedWorkflow, _: object, context: Context) => {
    const [row] = await loadVersionsByNumber(context, context.actor, id, [{ version, path: 'version' }])
    return row ?? fail('NOT_FOUND')
  },
}

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
    applyWorkflow: (_, { input }, context) =>
      applyWorkflow(context, context.actor, input.document, { publish: input.publish ?? true }),
    publishWorkflowVersion: (_, { input }, context) => publishVersion(context, context.actor, input),
  },
  ApplyWorkflowPayload: payloadFields,
  PublishWorkflowVersionPayload: payloadFields,
  Workflow: {
    __resolveReference: ({ id }, context) => (isId(id) ? loaderOf(context, loadWorkflows).load(id) : null),
    latestVersion: async ({ id }, _, context) =>
      (await loaderOf(context, loadLatestVersions).load(id)) ?? fail('NOT_FOUND'),
    publishedVersion: ({ id }, _, context) => loaderOf(context, loadPublishedVersions).load(id),
    versions: ({ id }, page, context) => listVersions(context, id, page),
    async diff({ id }, { from, to }, context) {
      const asked = [
        { version: from, path: 'from' },
        { version: to, path: 'to' },
      ]
      const [before, after] = await loadVersionsByNumber(context, context.actor, id, asked)
      return before && after ? compareDefinitions(before.definition, after.definition) : fail('NOT_FOUND')
    },
    runs: ({ id }, { first, after, status }, context) =>
      listRuns(context, { first, after, status, workflowId: id }),
  },
  WorkflowVersion: {
    __resolveReference: ({ id }, context) => (isId(id) ? loaderOf(context, loadVersions).load(id) : null),
  },
}

/** The API's names of the changes. */
export const stepChangeKinds = { ADDED: 'added', REMOVED: 'removed', CHANGED: 'changed' }
