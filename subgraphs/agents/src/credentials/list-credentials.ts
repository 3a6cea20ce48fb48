import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { CREDENTIAL_COLUMNS, type CredentialRow } from './credential-row.ts'

/** One page of the organization's credentials, oldest first; values are never read. */
export async function listCredentials(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  page: PageArguments,
): Promise<Connection<CredentialRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<CredentialRow>(
    actor,
    `select ${CREDENTIAL_COLUMNS} from credential
     where organization_id = $1::uuid and ($2::uuid is null or id > $2::uuid) order by id limit $3`,
    [actor.organizationId, afterId, take],
  )
  return connectionOf(rows, take)
}
