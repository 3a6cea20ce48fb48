import { isId } from '@tutti/runtime'
import { type Actor, fail, type Problem } from '@tutti/schema'
import type { Services } from '../../context.ts'
import { storableJson } from '../storable-json.ts'
import { isLogLevel, LOG_LEVELS, type LogLevel } from './log-level.ts'

/** One line, as whoever does a task says it. */
export interface TaskLogLine {
  taskId: string
  /** The attempt it is about; the task's present one unless said. */
  attempt?: number
  level: LogLevel
  message: string
  /** For programs: JSON. Together with the message at most 16 KiB. */
  data?: unknown
  /** When it was said; now unless said. */
  time?: Date
}

/** Lines of one call. */
export const MOST_LINES = 1_000
/** Bytes of a line: message and data. */
export const MOST_LINE_BYTES = 16 * 1024
/** How long a line is kept. */
const KEPT_DAYS = 30

/**
 * Adds lines to tasks of the actor's organization, in the order given, all or none, in one statement. Characters that
 * cannot be stored are replaced. BAD_INPUT lists every line that is too large, has another level or no task here; nothing
 * of an attempt is refused for being late, since it was said all the same. `at` is the path of the lines in the mistakes.
 */
export async function appendTaskLogs(
  { database }: Pick<Services, 'database'>,
  actor: Actor,
  lines: readonly TaskLogLine[],
  at = 'lines',
): Promise<void> {
  if (lines.length === 0) return
  if (lines.length > MOST_LINES)
    fail('BAD_INPUT', { path: at, message: `At most ${MOST_LINES} lines at once.` })
  refuse(lines.flatMap((line, index) => problemsOf(line, `${at}[${index}]`)))
  const rows = storableJson(
    lines.map(({ taskId, attempt, level, message, data, time }) => ({
      task: taskId,
      attempt,
      level,
      message,
      data,
      time: time?.toISOString(),
    })),
  )
  await database.transact(actor, async (client) => {
    const known = await client.query<{ id: string }>(
      'select id from task where organization_id = $1 and id = any($2::uuid[])',
      [actor.organizationId, [...new Set(lines.map(({ taskId }) => taskId))]],
    )
    const ids = new Set(known.rows.map(({ id }) => id))
    refuse(lines.flatMap(({ taskId }, index) => (ids.has(taskId) ? [] : [unknownTask(`${at}[${index}]`)])))
    await client.query(
      `insert into task_log (organization_id, task_id, run_id, attempt, level, message, data, time, expires_at)
       select t.organization_id, t.id, t.run_id, coalesce(x.attempt, t.attempt), x.level, x.message, x.data,
         coalesce(x.time, clock_timestamp()), clock_timestamp() + interval '${KEPT_DAYS} days'
       from rows from (jsonb_to_recordset($2::jsonb) as (task uuid, attempt int, level text, message text, data jsonb,
         time timestamptz)) with ordinality as x(task, attempt, level, message, data, time, n)
       join task t on t.organization_id = $1 and t.id = x.task order by x.n`,
      [actor.organizationId, rows],
    )
  })
}

function problemsOf({ taskId, level, message, data, time }: TaskLogLine, line: string): Problem[] {
  const problems: Problem[] = []
  const complain = (field: string, code: string, text: string): void =>
    void problems.push({ code, message: text, path: `${line}.${field}` })
  if (!isId(taskId)) problems.push(unknownTask(line))
  if (!isLogLevel(level)) complain('level', 'UNKNOWN_LEVEL', `A level is one of ${LOG_LEVELS.join(', ')}.`)
  if (time && Number.isNaN(time.getTime())) complain('time', 'NO_TIME', 'That is no time.')
  const bytes = Buffer.byteLength(message) + (data === undefined ? 0 : Buffer.byteLength(storableJson(data)))
  if (bytes > MOST_LINE_BYTES)
    complain(
      'message',
      'TOO_LARGE',
      `A line has at most ${MOST_LINE_BYTES} bytes with its data; it has ${bytes}.`,
    )
  return problems
}

const unknownTask = (line: string): Problem => ({
  code: 'NOT_FOUND',
  message: 'There is no such task here.',
  path: `${line}.taskId`,
})

function refuse(problems: readonly Problem[]): void {
  const [first] = problems
  if (!first) return
  fail('BAD_INPUT', {
    message: first.message,
    problems: problems.slice(0, 100),
    ...(first.path ? { path: first.path } : {}),
  })
}
