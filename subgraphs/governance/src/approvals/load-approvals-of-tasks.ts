import { isId } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { APPROVAL_COLUMNS, type ApprovalRow } from './approval-row.ts'

/** The latest approval of each task, in one read. */
export async function loadApprovalsOfTasks(
  { database, actor }: Context,
  taskIds: readonly string[],
): Promise<ReadonlyMap<string, ApprovalRow>> {
  const rows = await database.readTenant<ApprovalRow>(
    actor,
    `select distinct on (task_id) ${APPROVAL_COLUMNS} from approval
     where organization_id = $1 and task_id = any($2::uuid[]) order by task_id, id desc`,
    [actor.organizationId, taskIds.filter(isId)],
  )
  return new Map(rows.flatMap((row) => (row.taskId === null ? [] : [[row.taskId, row]])))
}
