import type { Context } from '../context.ts'
import type { WorkflowDefinition } from '../definitions/index.ts'

export interface WorkflowRow {
  id: string
  name: string
  trigger: string | null
}

export interface WorkflowVersionRow {
  id: string
  workflowId: string
  version: number
  source: string
  definition: WorkflowDefinition
  createdAt: Date
  publishedAt: Date | null
  publishedBy: { id: string; kind: string; name: string } | null
}

/** Columns of a {@link WorkflowRow}. */
export const WORKFLOW_COLUMNS = 'id, name, trigger'
/** Columns of a {@link WorkflowVersionRow}; the table is `v`. */
export const VERSION_COLUMNS = `v.id, v.workflow_id as "workflowId", v.version, v.source, v.definition,
  v.created_at as "createdAt", v.published_at as "publishedAt", v.published_by as "publishedBy"`

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
    `select ${VERSION_COLUMNS} from workflow_version v where organization_id = $1 and id = any($2::uuid[])`,
    [actor.organizationId, ids],
  )
  return new Map(rows.map((row) => [row.id, row]))
}

/** The latest version of each workflow, by workflow id. */
export const loadLatestVersions = (context: Context, ids: readonly string[]) =>
  loadNamedVersions(context, ids, 'latest_version')

/** The version of each workflow that new runs take, by workflow id. */
export const loadPublishedVersions = (context: Context, ids: readonly string[]) =>
  loadNamedVersions(context, ids, 'published_version')

async function loadNamedVersions(
  { database, actor }: Context,
  ids: readonly string[],
  column: 'latest_version' | 'published_version',
) {
  const rows = await database.readTenant<WorkflowVersionRow>(
    actor,
    `select ${VERSION_COLUMNS} from workflow w join workflow_version v
       on v.organization_id = w.organization_id and v.workflow_id = w.id and v.version = w.${column}
     where w.organization_id = $1 and w.id = any($2::uuid[])`,
    [actor.organizationId, ids],
  )
  return new Map(rows.map((row) => [row.workflowId, row]))
}
