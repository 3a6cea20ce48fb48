import { type Connection, connectionOf, isId, type PageArguments, readPage } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { RUN_COLUMNS, type RunRow } from './load-runs.ts'

export interface RunListing extends PageArguments {
  status?: string | null | undefined
  workflowId?: string | null | undefined
}

/** Runs, newest first. A workflow that is not there has none. */
export async function listRuns(
  { database, actor }: Context,
  listing: RunListing,
): Promise<Connection<RunRow>> {
  const { take, afterId } = readPage(listing)
  const { workflowId = null, status = null } = listing
  if (workflowId !== null && !isId(workflowId)) return connectionOf<RunRow>([], take)
  const rows = await database.readTenant<RunRow>(
    actor,
    `select ${RUN_COLUMNS} from run
     where organization_id = $1 and ($2::uuid is null or id < $2) and ($3::text is null or status = $3)
       and ($4::uuid is null or workflow_id = $4)
     order by id desc limit $5`,
    [actor.organizationId, afterId, status, workflowId, take],
  )
  return connectionOf(rows, take)
}
