import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Context } from '../../context.ts'
import { hasWords, LOG_COLUMNS, type TaskLogRow, wordsOf } from './log-row.ts'
import { levelsFrom } from './log-level.ts'

/** Which lines of a task. */
export interface TaskLogListing extends PageArguments {
  level?: string | null | undefined
  search?: string | null | undefined
}

/** The lines of one task in the order they were added. BAD_INPUT: `search` is too long. */
export async function listTaskLogs(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  taskId: string,
  { level, search, ...page }: TaskLogListing,
): Promise<Connection<TaskLogRow>> {
  const { take, afterId } = readPage(page)
  const words = wordsOf(search, 'search')
  if (!words) return connectionOf<TaskLogRow>([], take)
  const rows = await database.readTenant<TaskLogRow>(
    actor,
    `select ${LOG_COLUMNS} from task_log l where l.organization_id = $1 and l.task_id = $2
       and ($3::uuid is null or l.id > $3) and l.level = any($4) and ${hasWords('$5')} order by l.id limit $6`,
    [actor.organizationId, taskId, afterId, levelsFrom(level), words, take],
  )
  return connectionOf(rows, take)
}
