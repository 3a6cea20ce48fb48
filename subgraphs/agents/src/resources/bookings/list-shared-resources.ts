import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Context } from '../../context.ts'
import { RESOURCE_COLUMNS, type SharedResourceRow } from './shared-resource.ts'

/** One page of the organization's shared resources, oldest first. */
export async function listSharedResources(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  page: PageArguments,
): Promise<Connection<SharedResourceRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<SharedResourceRow>(
    actor,
    `select ${RESOURCE_COLUMNS} from shared_resource
     where organization_id = $1::uuid and ($2::uuid is null or id > $2::uuid) order by id limit $3`,
    [actor.organizationId, afterId, take],
  )
  return connectionOf(rows, take)
}
