import { isId } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { MESSAGE_COLUMNS, type MessageRow } from './message-row.ts'

/** Messages by id, in one read; an id that is not of this organization is left out. */
export async function loadMessages(
  { database, actor }: Context,
  ids: readonly string[],
): Promise<ReadonlyMap<string, MessageRow>> {
  const rows = await database.readTenant<MessageRow>(
    actor,
    `select ${MESSAGE_COLUMNS} from outbound_message where organization_id = $1::uuid and id = any($2::uuid[])`,
    [actor.organizationId, ids.filter(isId)],
  )
  return new Map(rows.map((row) => [row.id, row]))
}

/** Messages by the run that sent them, oldest first, in one read. */
export async function loadMessagesOfRuns(
  { database, actor }: Context,
  runIds: readonly string[],
): Promise<ReadonlyMap<string, MessageRow[]>> {
  const rows = await database.readTenant<MessageRow>(
    actor,
    `select ${MESSAGE_COLUMNS} from outbound_message where organization_id = $1::uuid and run_id = any($2::uuid[]) order by id`,
    [actor.organizationId, runIds.filter(isId)],
  )
  return Map.groupBy(rows, ({ runId }) => runId ?? '')
}
