import { type Connection, connectionOf, isId, type PageArguments, readPage } from '@tutti/runtime'
import type { Context } from '../../context.ts'
import { levelsFrom } from './log-level.ts'
import { hasWords, LOG_COLUMNS, type TaskLogRow, wordsOf } from './log-row.ts'

/** Lines looked at in one call, so that a word found nowhere costs a bounded time. */
const MOST_LOOKED_AT = 100_000

/** What is searched for. */
export interface TaskLogSearch {
  search?: string | null | undefined
  level?: string | null | undefined
  workflowId?: string | null | undefined
  runId?: string | null | undefined
  agentId?: string | null | undefined
  /** Added from here on, and before there. */
  from?: Date | null | undefined
  to?: Date | null | undefined
}

/**
 * Lines of all tasks, newest first. One call looks at 100,000 lines; a page that is short or empty and has a next one
 * means that the search goes on there. BAD_INPUT: `input.search` is too long.
 */
export async function searchTaskLogs(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  { search, level, workflowId, runId, agentId, from, to }: TaskLogSearch,
  page: PageArguments,
): Promise<Connection<TaskLogRow>> {
  const { take, afterId } = readPage(page)
  const words = wordsOf(search, 'input.search')
  if (!words || [workflowId, runId, agentId].some((id) => id != null && !isId(id)))
    return connectionOf<TaskLogRow>([], take)
  const ofRun =
    runId == null
      ? 'true'
      : '(l.task_id in (select t.id from task t where t.organization_id = $1 and t.run_id = $6))'
  const rows = await database.readTenant<TaskLogRow & { isEnd: boolean }>(
    actor,
    `with scope as (
       select l.id from task_log l where l.organization_id = $1 and ($2::uuid is null or l.id < $2) and ${ofRun}
       order by l.id desc offset ${MOST_LOOKED_AT - 1} limit 1
     ), found as (
       select ${LOG_COLUMNS}, false as "isEnd" from task_log l
       join task t on t.organization_id = l.organization_id and t.id = l.task_id
       join run r on r.organization_id = l.organization_id and r.id = l.run_id
       where l.organization_id = $1 and ($2::uuid is null or l.id < $2) and ${ofRun}
         and l.id >= coalesce((select id from scope), '00000000-0000-0000-0000-000000000000')
         and l.level = any($3) and ($5::uuid is null or r.workflow_id = $5) and ($6::uuid is null or l.run_id = $6)
         and ($7::uuid is null or t.agent_id = $7) and ($8::timestamptz is null or l.time >= $8)
         and ($9::timestamptz is null or l.time < $9) and ${hasWords('$4')}
       order by l.id desc limit $10
     )
     select * from found union all
     select s.id, s.id, 0, '', '', null, now(), now(), true from scope s order by "isEnd", id desc`,
    [
      actor.organizationId,
      afterId,
      levelsFrom(level),
      words,
      workflowId ?? null,
      runId ?? null,
      agentId ?? null,
      from ?? null,
      to ?? null,
      take,
    ],
  )
  const end = rows.find(({ isEnd }) => isEnd)
  const connection = connectionOf(
    rows.filter(({ isEnd }) => !isEnd),
    take,
  )
  if (connection.pageInfo.hasNextPage || !end) return connection
  return {
    ...connection,
    pageInfo: { hasNextPage: true, endCursor: Buffer.from(end.id).toString('base64url') },
  }
}
