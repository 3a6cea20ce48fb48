import { eventActor, type Database } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type pg from 'pg'
import { z } from 'zod'
import type { ClaimedTask } from '../../engine/worker/claimed-task.ts'
import { storableJson } from '../storable-json.ts'

const MOST_DATA_BYTES = 4 * 1024
/** Between two events of one task, on the database's clock; the task itself has every report. */
const EVENT_EVERY_MS = 1_000

const report = z.object({
  /** How far it is, 0 to 100. */
  percent: z.number().min(0).max(100).nullish(),
  /** For people, at most 1,000 characters. */
  message: z.string().max(1_000).nullish(),
  /** For programs, at most 4 KiB of JSON. */
  data: z
    .unknown()
    .optional()
    .refine((value) => Buffer.byteLength(storableJson(value)) <= MOST_DATA_BYTES, 'At most 4 KiB of JSON.'),
})

/** What a long step says of itself while it works; characters that cannot be stored are replaced. */
export type ProgressReport = z.input<typeof report>

/** What proves that a reporter works on the task: its strand's fence. */
export type ReportingTask = Pick<
  ClaimedTask,
  | 'organizationId'
  | 'id'
  | 'runId'
  | 'workflowId'
  | 'workflowName'
  | 'stepPath'
  | 'agentId'
  | 'attempt'
  | 'strandId'
  | 'fence'
  | 'begins'
>

/**
 * What became of a report. `early`: the attempt is the present one, but its beginning is not written yet, and there is
 * nothing to keep the report on: say it again in a moment. `stale`: the task is another's by now, stop working on it.
 */
export type ProgressAnswer = 'kept' | 'early' | 'stale'

/**
 * Keeps a report on its task, which replaces the one before; an event tells it, at most one a second and task. BAD_INPUT
 * when the report is not as {@link ProgressReport} says.
 *
 * The strand is locked first, so that no report of an attempt is told after its end.
 */
export async function reportProgress(
  database: Pick<Database, 'pool' | 'announce'>,
  actor: Actor,
  task: ReportingTask,
  given: ProgressReport,
): Promise<ProgressAnswer> {
  const said = parseReport(given, 'report')
  return told(database, await keep(database.pool('worker'), actor, task, said))
}

/** As {@link reportProgress}, by the actor's own rights: for agents outside. `at` is the path of the mistakes. */
export async function reportFromOutside(
  database: Pick<Database, 'transact' | 'announce'>,
  actor: Actor,
  task: ReportingTask,
  given: ProgressReport,
  at: string,
): Promise<ProgressAnswer> {
  const said = parseReport(given, at)
  return told(database, await database.transact(actor, (client) => keep(client, actor, task, said)))
}

/** A sign of life without a report, by the actor's own rights. */
export async function beatFromOutside(
  database: Pick<Database, 'transact'>,
  actor: Actor,
  task: ReportingTask,
): Promise<ProgressAnswer> {
  const answer = await database.transact(actor, (client) => keep(client, actor, task, null))
  return answer === 'told' ? 'kept' : answer
}

type Said = { percent: number | null; message: string | null; data: unknown }

function parseReport(given: ProgressReport, path: string): Said {
  const { percent = null, message = null, data = null } = parseInput(report, given, path)
  return { percent, message, data }
}

function told(database: Pick<Database, 'announce'>, answer: ProgressAnswer | 'told'): ProgressAnswer {
  if (answer !== 'told') return answer
  database.announce()
  return 'kept'
}

/** With nothing said it is a sign of life. */
async function keep(
  client: Pick<pg.ClientBase, 'query'>,
  actor: Actor,
  task: ReportingTask,
  said: Said | null,
): Promise<ProgressAnswer | 'told'> {
  const { runId, workflowId, workflowName, id, stepPath, agentId, attempt } = task
  const about = { runId, workflowId, workflowName, taskId: id, stepPath, agentId, attempt }
  const { rows } = await client.query<{ answer: 'told' | 'kept' | 'early' }>({
    name: 'task-progress',
    text: REPORT,
    values: [
      task.organizationId,
      task.strandId,
      task.fence,
      task.begins === true,
      id,
      said && storableJson(said),
      JSON.stringify(eventActor(actor)),
      storableJson({ ...about, ...said }),
    ],
  })
  return rows[0]?.answer ?? 'stale'
}

/** What was last said of a task, and how long ago its last sign of life came from outside, milliseconds. */
export interface LastReport extends Said {
  /** False when there were only signs of life. */
  isReport: boolean
  ageMs: number
}

/** Reads it, by whatever attempt it was; null when there was none. */
export async function readLastReport(
  database: Pick<Database, 'pool'>,
  task: Pick<ClaimedTask, 'organizationId' | 'id'>,
): Promise<LastReport | null> {
  const { rows } = await database
    .pool('worker')
    .query<{ progress: Partial<Said>; isReport: boolean; ageMs: number }>({
      name: 'task-last-report',
      text: LAST,
      values: [task.organizationId, task.id],
    })
  const [row] = rows
  if (!row) return null
  const { percent = null, message = null, data = null } = row.progress
  return { percent, message, data, isReport: row.isReport, ageMs: row.ageMs }
}

const LAST = `
select progress, progress ? 'time' as "isReport",
  extract(epoch from clock_timestamp() - greatest((progress->>'time')::timestamptz,
    (progress->>'beatAt')::timestamptz))::float8 * 1000 as "ageMs"
from task where organization_id is not distinct from $1::uuid and id = $2 and progress is not null`

const REPORT = `
with held as materialized (
  select s.organization_id, s.task_id from strand s
  where s.id = $2 and s.organization_id is not distinct from $1::uuid and s.task_id = $5
    and (s.fence = $3::bigint + case when $4::boolean then 1 else 0 end
        and (s.status = 'running' or s.status = 'waiting' and exists (select from board_item i
          where i.organization_id = s.organization_id and i.task_id = s.task_id and i.fence = s.fence and i.status = 'claimed'
            and i.lease_until > clock_timestamp()))
      or s.status = 'waiting' and s.wait_key = 'worker:' || s.task_id
        and s.fence between $3::bigint + 1 and $3::bigint + 2 and not exists (select from board_item i
          where i.organization_id = s.organization_id and i.task_id = s.task_id))
  for no key update of s
), before as materialized (
  select t.id, t.organization_id, $6::jsonb is not null and coalesce((t.progress->>'toldAt')::timestamptz
    <= clock_timestamp() - interval '${EVENT_EVERY_MS} milliseconds', true) as tells
  from held h join task t on t.id = h.task_id and t.organization_id is not distinct from h.organization_id
), kept as (
  update task t set progress = case
    when $6::jsonb is null then coalesce(t.progress, '{}') || jsonb_build_object('beatAt', clock_timestamp())
    else $6::jsonb || jsonb_build_object('time', clock_timestamp(),
      'toldAt', case when b.tells then to_jsonb(clock_timestamp()) else t.progress->'toldAt' end) end
  from before b where t.id = b.id and t.organization_id is not distinct from b.organization_id
), told as (
  insert into log.event (organization_id, type, subject, actor, data, run_id)
  select b.organization_id, 'task.progress', 'task/' || b.id, $7::jsonb, $8::jsonb, ($8::jsonb->>'runId')::uuid
  from before b where b.tells
)
select case when tells then 'told' else 'kept' end as answer from before
union all
select 'early' from strand s where s.id = $2 and s.organization_id is not distinct from $1::uuid and s.fence = $3::bigint
  and $4::boolean and s.task_id is null and s.status = 'running'`
