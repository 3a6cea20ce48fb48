import { actorRecord, eventActor } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import type pg from 'pg'
import { ROWS } from './write-parts.ts'
import type { EventRow, StrandRow, TaskRow } from './strand-change.ts'

/** A new run with what begins with it. */
export interface StartRow {
  id: string
  workflow: string
  version: string
  /** The version's number: the run is left out when another is published by now, unless `pinned`. */
  number: number
  pinned: boolean
  status: string
  input: Record<string, unknown>
  key: string | null
  hash: string
  priority: number
  start_at: string | null
  trigger: string | null
  /** Limit of the run's own time, milliseconds. */
  timeout: number | null
  /** One: the main strand. */
  strands: StrandRow[]
  tasks: TaskRow[]
  events: EventRow[]
}

const START = {
  name: 'engine-start',
  text: `
with item as materialized (
  select x.*, $1::uuid as o, x.id as run from jsonb_to_recordset($2::jsonb) as x(id uuid, workflow uuid, version uuid, number int, pinned bool,
    status text, input jsonb, key text, hash text, priority int, start_at timestamptz, trigger uuid,
    timeout bigint, strands jsonb,
    tasks jsonb, events jsonb)
), fresh as (
  insert into run (organization_id, id, workflow_id, version_id, status, input, idempotency_key, request_hash,
    started_by, priority, start_at, trigger_id, timeout_ms)
  select $1::uuid, x.id, x.workflow, x.version, x.status, x.input, x.key, x.hash, $3::jsonb, x.priority, x.start_at,
    x.trigger, x.timeout
  from item x join workflow w on w.organization_id = $1 and w.id = x.workflow
    and (x.pinned or w.published_version = x.number)
  on conflict (organization_id, workflow_id, idempotency_key) do nothing returning id, created_at
), kept as materialized (
  select x.* from item x join fresh f on f.id = x.id
), spread as (
  insert into strand (${ROWS.STRAND_COLUMNS}) select ${ROWS.STRAND_VALUES}
  from kept x, jsonb_to_recordset(x.strands) as ${ROWS.STRAND_RECORD}
), begun as (
  insert into task (${ROWS.TASK_COLUMNS}) select ${ROWS.TASK_VALUES}
  from kept x, jsonb_to_recordset(x.tasks) as ${ROWS.TASK_RECORD}
), told as (
  insert into log.event (organization_id, type, subject, actor, data, run_id)
  select x.o, e.type, e.subject, $4::jsonb, e.data, x.run
  from kept x, jsonb_to_recordset(x.events) as e(type text, subject text, data jsonb)
)
select id, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as created from fresh`,
}

/**
 * Inserts new runs in one statement; answers with those that are new, and when they were created (ISO 8601, on the database's
 * clock). A key twice in one call counts once.
 */
export async function writeStart(
  client: Pick<pg.ClientBase, 'query'>,
  actor: Actor,
  rows: readonly StartRow[],
): Promise<Map<string, string>> {
  const inserted = await client.query<{ id: string; created: string }>({
    ...START,
    values: [
      actor.organizationId,
      JSON.stringify(rows),
      JSON.stringify(actorRecord(actor)),
      JSON.stringify(eventActor(actor)),
    ],
  })
  return new Map(inserted.rows.map(({ id, created }) => [id, created]))
}
