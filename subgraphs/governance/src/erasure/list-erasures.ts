import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { ERASURE_COLUMNS, type ErasureRow } from './erasure-row.ts'

/** One page of erasures, newest first by the key that was destroyed. */
export async function listErasures(
  { database }: DomainServices,
  actor: Actor,
  page: PageArguments,
): Promise<Connection<ErasureRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<ErasureRow>(
    actor,
    `select ${ERASURE_COLUMNS} from subject_key
     where organization_id = $1 and erased_at is not null and ($2::uuid is null or id < $2)
     order by id desc limit $3`,
    [actor.organizationId, afterId, take],
  )
  return connectionOf(rows, take)
}
