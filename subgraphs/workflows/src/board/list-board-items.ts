import { type Connection, connectionOf, isId, type PageArguments, readPage } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { type BoardItemRow, IS_OPEN, ITEM_COLUMNS } from './board-item.ts'

export interface BoardListing extends PageArguments {
  status?: string | null | undefined
  capability?: string | null | undefined
  runId?: string | null | undefined
}

/** Items, oldest first: in the order in which they are claimed. */
export async function listBoardItems(
  { database, actor }: Context,
  { status = null, capability = null, runId = null, ...page }: BoardListing,
): Promise<Connection<BoardItemRow>> {
  const { take, afterId } = readPage(page)
  // PostgreSQL refuses to compare with a NUL, and no capability holds one.
  if (capability?.includes('\0') || (runId !== null && !isId(runId)))
    return connectionOf<BoardItemRow>([], take)
  const rows = await database.readTenant<BoardItemRow>(
    actor,
    `select ${ITEM_COLUMNS} from board_item i
     where i.organization_id = $1 and i.for_agent_id is null and ($2::uuid is null or i.id > $2) and ($3::text is null or i.capability = $3)
       and ($4::text is null or case when ${IS_OPEN} then 'open' else i.status end = $4)
       and ($5::uuid is null or i.run_id = $5)
     order by i.id limit $6`,
    [actor.organizationId, afterId, capability, status, runId, take],
  )
  return connectionOf(rows, take)
}
