import type { Context } from '../context.ts'
import { OPERATION_COLUMNS, type OperationRow } from './operation-row.ts'

/** Operations by id. */
export async function loadOperations({ database, actor }: Context, ids: readonly string[]) {
  const rows = await database.readTenant<OperationRow>(
    actor,
    `select ${OPERATION_COLUMNS} from operation where organization_id = $1 and id = any($2::uuid[])`,
    [actor.organizationId, ids],
  )
  return new Map(rows.map((row) => [row.id, row]))
}
