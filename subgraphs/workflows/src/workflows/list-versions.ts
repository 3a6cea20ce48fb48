import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { VERSION_COLUMNS, type WorkflowVersionRow } from './load-workflows.ts'

/** A workflow's versions, newest first. */
export async function listVersions(
  { database, actor }: Context,
  workflowId: string,
  page: PageArguments,
): Promise<Connection<WorkflowVersionRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<WorkflowVersionRow>(
    actor,
    `select ${VERSION_COLUMNS} from workflow_version v
     where organization_id = $1 and workflow_id = $2 and version > 0 and ($3::uuid is null or id < $3) order by id desc limit $4`,
    [actor.organizationId, workflowId, afterId, take],
  )
  return connectionOf(rows, take)
}
