import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { CONTAINMENT_COLUMNS, type ContainmentRow } from './containment-row.ts'

/** Orders to stop, newest first. */
export async function listContainments(
  { database, actor }: Context,
  { inForce, ...page }: PageArguments & { inForce?: boolean | null | undefined },
): Promise<Connection<ContainmentRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<ContainmentRow>(
    actor,
    `select ${CONTAINMENT_COLUMNS} from containment
     where organization_id = $1 and ($2::uuid is null or id < $2) and ($3::boolean is null or (lifted_at is null) = $3)
     order by id desc limit $4`,
    [actor.organizationId, afterId, inForce ?? null, take],
  )
  return connectionOf(rows, take)
}
