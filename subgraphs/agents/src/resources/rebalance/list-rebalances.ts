import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Context } from '../../context.ts'
import { REBALANCE_COLUMNS, type RebalanceRow } from './rebalance-row.ts'

/** One page of the organization's rebalancings, newest first. */
export async function listRebalances(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  page: PageArguments,
): Promise<Connection<RebalanceRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<RebalanceRow>(
    actor,
    `select ${REBALANCE_COLUMNS} from rebalance where organization_id = $1::uuid and ($2::uuid is null or id < $2::uuid)
     order by id desc limit $3`,
    [actor.organizationId, afterId, take],
  )
  return connectionOf(rows, take)
}
