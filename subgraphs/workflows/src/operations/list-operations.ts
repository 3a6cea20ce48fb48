import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { OPERATION_COLUMNS, type OperationRow } from './operation-row.ts'

/** Operations, newest first. */
export async function listOperations(
  { database, actor }: Context,
  { status, ...page }: PageArguments & { status?: string | null | undefined },
): Promise<Connection<OperationRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<OperationRow>(
    actor,
    `select ${OPERATION_COLUMNS} from operation
     where organization_id = $1 and ($2::uuid is null or id < $2) and ($3::text is null or status = $3)
     order by id desc limit $4`,
    [actor.organizationId, afterId, status ?? null, take],
  )
  return connectionOf(rows, take)
}
