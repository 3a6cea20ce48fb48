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

/** Events in `(after, upTo]` in order, at most `limit`, of one organization or of all. Needs the role `tail`. */
export async function readEvents(
  pool: pg.Pool,
  range: { after: bigint; upTo: bigint; limit: number; organizationId?: string },
): Promise<EventRecord[]> {
  const { rows } = await pool.query<EventRow>(
    `select organization_id, seq, id, type, subject, actor, data, time from log.event
     where seq > $1 and seq <= $2 and ($4::uuid is null or organization_id = $4) order by seq limit $3`,
    [range.after, range.upTo, range.limit, range.organizationId ?? null],
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

/** The transaction id that everything before now is older than. Ask for it after {@link lastSeq}. */
export async function currentTransaction(pool: pg.Pool): Promise<string> {
  const { rows } = await pool.query<{ xid: string }>('select pg_current_xact_id()::text as xid')
  return rows[0]?.xid ?? '0'
}

/** Whether every transaction older than `xid` has ended. */
export async function isPast(pool: pg.Pool, xid: string): Promise<boolean> {
  const { rows } = await pool.query<{ past: boolean }>(
    'select pg_snapshot_xmin(pg_current_snapshot()) >= $1::xid8 as past',
    [xid],
  )
  return rows[0]?.past ?? false
}
