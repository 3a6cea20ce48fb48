import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { FIRING_COLUMNS, type FiringRow } from './firing-row.ts'

/** A trigger's firings, newest first. */
export async function listFirings(
  { database, actor }: Context,
  triggerId: string,
  listing: PageArguments & { status?: string | null | undefined },
): Promise<Connection<FiringRow>> {
  const { take, afterId } = readPage(listing)
  const rows = await database.readTenant<FiringRow>(
    actor,
    `select ${FIRING_COLUMNS} from trigger_firing f
     where f.organization_id = $1 and f.trigger_id = $2 and ($3::uuid is null or f.id < $3)
       and ($4::text is null or f.status = $4)
     order by f.id desc limit $5`,
    [actor.organizationId, triggerId, afterId, listing.status ?? null, take],
  )
  return connectionOf(rows, take)
}
