import { fail } from '@tutti/schema'

/** One line of a task's log. */
export interface TaskLogRow {
  id: string
  taskId: string
  attempt: number
  level: string
  message: string
  data: unknown
  time: Date
  expiresAt: Date
}

/** Columns of a {@link TaskLogRow}; the table is `l`. */
export const LOG_COLUMNS = `l.id, l.task_id as "taskId", l.attempt, l.level, l.message, l.data, l.time,
  l.expires_at as "expiresAt"`

/** The condition that every word of $n occurs in a line, whatever its case. */
export const hasWords = (parameter: string): string =>
  `not exists (select from unnest(${parameter}::text[]) w
     where strpos(lower(l.message || ' ' || coalesce(l.data::text, '')), w) = 0)`

/** Each line that is looked at is searched for every word. */
const LONGEST_SEARCH = 1_000

/** The words of a search; null when it holds what no line can. BAD_INPUT, of the path given, when it is too long. */
export function wordsOf(search: string | null | undefined, path: string): string[] | null {
  if ((search?.length ?? 0) > LONGEST_SEARCH)
    fail('BAD_INPUT', { path, message: `At most ${LONGEST_SEARCH} characters.` })
  if (search?.includes('\0')) return null
  return (search ?? '').toLowerCase().split(/\s+/).filter(Boolean)
}
