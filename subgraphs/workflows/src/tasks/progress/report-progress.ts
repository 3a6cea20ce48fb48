import { actorRecord, type Database } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
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
>

/**
 * Keeps a report on its task, which replaces the one before; an event tells it, at most one a second and task. False
 * when the task is another's by now: stop working on it. BAD_INPUT when the report is not as {@link ProgressReport} says.
 *
 * The strand is locked first, so that no report of an attempt is told after its end.
 */
export async function reportProgress(
  database: Pick<Database, 'pool' | 'announce'>,
  actor: Actor,
  task: ReportingTask,
  given: ProgressReport,
): Promise<boolean> {
  const { percent = null, message = null, data = null } = parseInput(report, given, 'report')
  const { runId, workflowId, workflowName, id, stepPath, agentId, attempt } = task
  const said = { percent, message, data }
  const about = { runId, workflowId, workflowName, taskId: id, stepPath, agentId, attempt }
  const { rows } = await database.pool('worker').query<{ told: boolean }>({
    name: 'task-progress',
    text: REPORT,
    values: [
      task.organizationId,
      task.strandId,
      task.fence,
      id,
      storableJson(said),
      JSON.stringify(actorRecord(actor)),
      storableJson({ ...about, ...said }),
    ],
  })
  const [row] = rows
  if (row?.told) database.announce()
  return row !== undefined
}

const REPORT = `
with held as materialized (
  select s.organization_id, s.task_id from strand s
  where s.id = $2 and s.organization_id is not distinct from $1::uuid and s.fence = $3::bigint and s.task_id = $4
    and s.status = 'running'
  for no key update of s
), before as materialized (
  select t.id, t.organization_id, coalesce((t.progress->>'toldAt')::timestamptz
    <= clock_timestamp() - interval '${EVENT_EVERY_MS} milliseconds', true) as tells
  from held h join task t on t.id = h.task_id and t.organization_id is not distinct from h.organization_id
), kept as (
  update task t set progress = $5::jsonb || jsonb_build_object('time', clock_timestamp(),
    'toldAt', case when b.tells then to_jsonb(clock_timestamp()) else t.progress->'toldAt' end)
  from before b where t.id = b.id and t.organization_id is not distinct from b.organization_id
), told as (
  insert into log.event (organization_id, type, subject, actor, data, run_id)
  select b.organization_id, 'task.progress', 'task/' || b.id, $6::jsonb, $7::jsonb, ($7::jsonb->>'runId')::uuid
  from before b where b.tells
)
select tells as told from before`
