import type { Context } from '../context.ts'
import { type BoardItemRow, ITEM_COLUMNS } from './board-item.ts'

/** Items by id. */
export async function loadBoardItems({ database, actor }: Context, ids: readonly string[]) {
  const rows = await database.readTenant<BoardItemRow>(
    actor,
    `select ${ITEM_COLUMNS} from board_item i where i.organization_id = $1 and i.id = any($2::uuid[])`,
    [actor.organizationId, ids],
  )
  return new Map(rows.map((row) => [row.id, row]))
}
