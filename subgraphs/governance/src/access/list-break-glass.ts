import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { BREAK_GLASS_COLUMNS, BREAK_GLASS_TABLES, type BreakGlassRow } from './break-glass-row.ts'

/** One page of uses of broken glass, newest first; `reviewed`: only those that are, or are not. */
export async function listBreakGlass(
  { database }: DomainServices,
  actor: Actor,
  { reviewed, ...page }: PageArguments & { reviewed?: boolean | null | undefined },
): Promise<Connection<BreakGlassRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<BreakGlassRow>(
    actor,
    `select ${BREAK_GLASS_COLUMNS} from ${BREAK_GLASS_TABLES}
     where b.organization_id = $1 and ($2::uuid is null or b.id < $2)
       and ($3::boolean is null or (b.reviewed_at is not null) = $3)
     order by b.id desc limit $4`,
    [actor.organizationId, afterId, reviewed ?? null, take],
  )
  return connectionOf(rows, take)
}
