import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Context } from '../../context.ts'
import { type QuotaRow, SELECT_QUOTAS } from './quota-row.ts'

/** One page of the organization's quotas, oldest first. */
export async function listQuotas(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  page: PageArguments,
): Promise<Connection<QuotaRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<QuotaRow>(
    actor,
    `${SELECT_QUOTAS} where q.organization_id = $1::uuid and ($2::uuid is null or q.id > $2::uuid) order by q.id limit $3`,
    [actor.organizationId, afterId, take],
  )
  return connectionOf(rows, take)
}
