import { isId } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { APPROVAL_COLUMNS, type ApprovalRow } from './approval-row.ts'

/** Approvals by id, in one read; an id that is not of this organization is left out. */
export async function loadApprovals(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ApprovalRow>> {
  const rows = await database.readTenant<ApprovalRow>(
    actor,
    `select ${APPROVAL_COLUMNS} from approval where organization_id = $1 and id = any($2::uuid[])`,
    [actor.organizationId, ids.filter(isId)],
  )
  return new Map(rows.map((row) => [row.id, row]))
}
