import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { CONNECTOR_COLUMNS, type ConnectorRow } from './connector-row.ts'

/** One page of the organization's connectors, oldest first. */
export async function listConnectors(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  { category, ...page }: PageArguments & { category?: string | null | undefined },
): Promise<Connection<ConnectorRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<ConnectorRow>(
    actor,
    `select ${CONNECTOR_COLUMNS} from connector
     where organization_id = $1::uuid and ($2::uuid is null or id > $2::uuid) and ($3::text is null or category = $3)
     order by id limit $4`,
    [actor.organizationId, afterId, category ?? null, take],
  )
  return connectionOf(rows, take)
}
