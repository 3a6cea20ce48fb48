import type { EventRecord, EventType } from '@tutti/schema'
import type pg from 'pg'

interface EventRow {
  organization_id: string
  seq: bigint
  id: string
  type: EventType
  subject: string
  actor: EventRecord['actor']
  data: EventRecord['data']
  time: Date
}

const toRecord = (row: EventRow): EventRecord => ({
  organizationId: row.organization_id,
  seq: row.seq,
  id: row.id,
  type: row.type,
  subject: row.subject,
  actor: row.actor,
  data: row.data,
  time: row.time,
})

/** Which events; what is not said is all. */
export interface EventSelection {
  organizationId?: string
  types?: readonly EventType[]
  runId?: string
}

/** Events in `(after, upTo]` in order, at most `limit`. Needs the role `tail`. */
export async function readEvents(
  pool: pg.Pool,
  range: EventSelection & { after: bigint; upTo: bigint; limit: number },
): Promise<EventRecord[]> {
  const { after, upTo, limit, organizationId = null, types = null, runId } = range
  const values: unknown[] = [after, upTo, limit, organizationId, types]
  // Said only when meant: an `or` would keep the planner from the run's index.
  const ofRun = runId === undefined ? '' : 'and run_id = $6'
  if (runId !== undefined) values.push(runId)
  const { rows } = await pool.query<EventRow>(
    `select organization_id, seq, id, type, subject, actor, data, time from log.event
     where seq > $1 and seq <= $2 and ($4::uuid is null or organization_id = $4)
       and ($5::text[] is null or type = any($5)) ${ofRun} order by seq limit $3`,
    values,
  )
  return rows.map(toRecord)
}

/** The last number drawn from the log's sequence; some below it may not be committed yet. */
export async function lastSeq(pool: pg.Pool): Promise<bigint> {
  const { rows } = await pool.query<{ seq: bigint }>(
    'select case when is_called then last_value else 0 end as seq from log.event_seq',
  )
  return rows[0]?.seq ?? 0n
}

/** How far the log may be read. */
export interface Horizon {
  /** The last number drawn. */
  last: bigint
  /** Once everything older than this transaction has ended, everything up to `last` can be seen. */
  transaction: string
  /** Whether it has already. */
  past: boolean
}

/**
 * The horizon in one trip. The statements share a transaction but not a snapshot, which is what counts: the number is
 * read first, the transaction id drawn after it, and the last snapshot says who is older and still writing.
 */
export async function readHorizon(pool: pg.Pool): Promise<Horizon> {
  const results: unknown = await pool.query(
    `select case when is_called then last_value else 0 end as seq from log.event_seq;
     select pg_current_xact_id()::text as xid;
     select pg_snapshot_xmin(pg_current_snapshot())::text as xmin`,
  )
  const rows = (Array.isArray(results) ? results : []).flatMap((result: pg.QueryResult) => result.rows)
  const {
    seq = 0n,
    xid = '0',
    xmin = '0',
  } = Object.assign({}, ...rows) as {
    seq?: bigint
    xid?: string
    xmin?: string
  }
  return { last: seq, transaction: xid, past: BigInt(xmin) >= BigInt(xid) }
}

/** Whether every transaction older than `xid` has ended. */
export async function isPast(pool: pg.Pool, xid: string): Promise<boolean> {
  const { rows } = await pool.query<{ past: boolean }>(
    'select pg_snapshot_xmin(pg_current_snapshot()) >= $1::xid8 as past',
    [xid],
  )
  return rows[0]?.past ?? false
}

/** Whether an event can be seen, and whether every transaction older than `xid` has ended, at one moment. */
export async function lookAt(
  pool: pg.Pool,
  seq: bigint,
  xid: string,
): Promise<{ there: boolean; past: boolean }> {
  const { rows } = await pool.query<{ there: boolean; past: boolean }>(
    `select exists (select from log.event where seq = $1) as there,
       pg_snapshot_xmin(pg_current_snapshot()) >= $2::xid8 as past`,
    [seq, xid],
  )
  return rows[0] ?? { there: false, past: false }
}
