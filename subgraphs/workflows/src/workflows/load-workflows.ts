import type { Context } from '../context.ts'

export interface WorkflowRow {
  id: string
  name: string
  trigger: string | null
  latestVersion: number
}

export interface WorkflowVersionRow {
  id: string
  workflowId: string
  version: number
  source: string
  definition: unknown
  createdAt: Date
}

/** Columns of a {@link WorkflowRow}. */
export const WORKFLOW_COLUMNS = 'id, name, trigger, latest_version as "latestVersion"'
const VERSION_COLUMNS =
  'id, workflow_id as "workflowId", version, source, definition, created_at as "createdAt"'

/** Workflows by id. */
export async function loadWorkflows({ database, actor }: Context, ids: readonly string[]) {
  const rows = await database.readTenant<WorkflowRow>(
    actor,
    `select ${WORKFLOW_COLUMNS} from workflow where organization_id = $1 and id = any($2::uuid[])`,
    [actor.organizationId, ids],
  )
  return new Map(rows.map((row) => [row.id, row]))
}

/** Versions by id. */
export async function loadVersions({ database, actor }: Context, ids: readonly string[]) {
  const rows = await database.readTenant<WorkflowVersionRow>(
    actor,
    `select ${VERSION_COLUMNS} from workflow_version where organization_id = $1 and id = any($2::uuid[])`,
    [actor.organizationId, ids],
  )
  return new Map(rows.map((row) => [row.id, row]))
}

/** The latest version of each workflow, by workflow id. */
export async function loadLatestVersions({ database, actor }: Context, ids: readonly string[]) {
  const rows = await database.readTenant<WorkflowVersionRow>(
    actor,
    `select distinct on (workflow_id) ${VERSION_COLUMNS} from workflow_version
     where organization_id = $1 and workflow_id = any($2::uuid[]) order by workflow_id, version desc`,
    [actor.organizationId, ids],
  )
  return new Map(rows.map((row) => [row.workflowId, row]))
}
