import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { LIMIT_COLUMNS, type LimitRow } from './limit-rule.ts'

/** The organization's limits, whoever set them, oldest first. */
export async function listLimits(
  { database, actor }: Context,
  page: PageArguments,
): Promise<Connection<LimitRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<LimitRow>(
    actor,
    `select ${LIMIT_COLUMNS} from engine_limit
     where organization_id = $1 and ($2::uuid is null or id > $2) order by id limit $3`,
    [actor.organizationId, afterId, take],
  )
  return connectionOf(rows, take)
}
