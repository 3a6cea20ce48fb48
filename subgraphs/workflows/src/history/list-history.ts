import type { Connection, PageArguments } from '@tutti/runtime'
import { readPage } from '@tutti/runtime'
import { cursorOf, type EventRecord, type EventType, fail, seqOf } from '@tutti/schema'
import type { Context } from '../context.ts'
import { eventTypes, selectTypes } from './event-types.ts'

/** One transition of a run, or something that was told of it. */
export interface HistoryEntry {
  cursor: string
  type: EventType
  time: Date
  actor: EventRecord['actor']
  taskId: string | null
  stepPath: string | null
  attempt: number | null
  error: { code: string; message: string } | null
  /** What whoever did it said of it. */
  reason: string | null
  data: Record<string, unknown>
  cause: { cursor: string; type: string; stepPath: string | null } | null
}

/** Which entries of a run's history. */
export interface HistoryListing extends PageArguments {
  /** Types or patterns, as `task.*`. */
  types?: readonly string[] | null | undefined
}

interface Row {
  seq: bigint
  type: EventType
  time: Date
  actor: EventRecord['actor']
  data: Record<string, unknown>
  cause_seq: bigint | null
  cause_type: string | null
  cause_path: string | null
}

/** Everything that bears a run's id. */
const TYPES = eventTypes('')
/** What ends something, so that in the same moment something else begins. */
const CAUSES = [
  'run.started',
  'run.resumed',
  'run.cancelling',
  'run.retried',
  'run.forked',
  'task.completed',
  'task.failed',
  'task.skipped',
  'task.cancelled',
]
/** How far before an entry its cause is looked for. */
const LOOK_BACK = 200

/**
 * The history of a run, in order. The cause of an entry is, of what was written in the same transaction before it, the
 * last that ended something; else what was last told of the same task, or of a step inside it; none for what somebody
 * did of their own accord. CURSOR_INVALID, and BAD_INPUT when a type is asked for that there is not.
 */
export async function listHistory(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  runId: string,
  { first, after, types }: HistoryListing,
): Promise<Connection<HistoryEntry>> {
  const { take } = readPage({ first })
  const from = after == null ? 0n : (seqOf(after) ?? fail('CURSOR_INVALID', { path: 'after' }))
  const rows = await database.readTenant<Row>(actor, HISTORY, [
    actor.organizationId,
    runId,
    from,
    selectTypes(TYPES, types, 'types'),
    take,
    CAUSES,
  ])
  const nodes = rows.slice(0, take - 1).map(toEntry)
  return {
    edges: nodes.map((node) => ({ cursor: node.cursor, node })),
    nodes,
    pageInfo: { hasNextPage: rows.length >= take, endCursor: nodes.at(-1)?.cursor ?? null },
  }
}

const HISTORY = `
with entry as materialized (
  select e.seq, e.xid, e.type, e.time, e.actor, e.data from log.event e
  where e.organization_id = $1 and e.run_id = $2 and e.seq > $3 and e.type = any($4) order by e.seq limit $5
)
select e.seq, e.type, e.time, e.actor, e.data, c.seq as cause_seq, c.type as cause_type,
  c.data->>'stepPath' as cause_path
from entry e left join lateral (
  select b.seq, b.type, b.data, b.xid = e.xid and b.type = any($6) as ended from (
    select seq, xid, type, data from log.event
    where organization_id = $1 and run_id = $2 and seq < e.seq order by seq desc limit ${LOOK_BACK}
  ) b
  where (b.xid = e.xid and b.type = any($6)) or b.data->>'taskId' = e.data->>'taskId'
    or (e.data->>'taskId' is not null and starts_with(b.data->>'stepPath', e.data->>'stepPath' || '['))
  order by ended desc, b.seq desc limit 1
) c on true
order by e.seq`

function toEntry(row: Row): HistoryEntry {
  const {
    seq,
    type,
    time,
    actor,
    data,
    cause_seq: causeSeq,
    cause_type: causeType,
    cause_path: causePath,
  } = row
  const { taskId, stepPath, attempt, error, reason } = data
  return {
    cursor: cursorOf(seq),
    type,
    time,
    actor,
    taskId: text(taskId),
    stepPath: text(stepPath),
    attempt: typeof attempt === 'number' ? attempt : null,
    error: isFailure(error) ? error : null,
    reason: text(reason),
    data,
    cause:
      causeSeq === null || causeType === null
        ? null
        : { cursor: cursorOf(causeSeq), type: causeType, stepPath: causePath },
  }
}

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)

const isFailure = (value: unknown): value is { code: string; message: string } =>
  typeof value === 'object' && value !== null && 'code' in value && 'message' in value
