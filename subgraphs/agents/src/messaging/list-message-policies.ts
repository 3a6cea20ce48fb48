import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { POLICY_COLUMNS, type PolicyRow } from './policy-row.ts'

/** One page of the policies on who may write to whom, oldest first. */
export async function listMessagePolicies(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  page: PageArguments,
): Promise<Connection<PolicyRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<PolicyRow>(
    actor,
    `select ${POLICY_COLUMNS} from message_policy
     where organization_id = $1::uuid and ($2::uuid is null or id > $2::uuid) order by id limit $3`,
    [actor.organizationId, afterId, take],
  )
  return connectionOf(rows, take)
}
