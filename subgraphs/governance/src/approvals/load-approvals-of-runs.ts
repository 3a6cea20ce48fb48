import { isId } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { groupBy } from '../extensions/group-by.ts'
import { APPROVAL_COLUMNS, type ApprovalRow } from './approval-row.ts'

/** Approvals by the run that asked, oldest first, in one read. */
export async function loadApprovalsOfRuns(
  { database, actor }: Context,
  runIds: readonly string[],
): Promise<ReadonlyMap<string, ApprovalRow[]>> {
  const rows = await database.readTenant<ApprovalRow>(
    actor,
    `select ${APPROVAL_COLUMNS} from approval where organization_id = $1 and run_id = any($2::uuid[]) order by id`,
    [actor.organizationId, runIds.filter(isId)],
  )
  return groupBy(rows, (row) => row.runId)
}
