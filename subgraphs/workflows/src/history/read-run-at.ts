import { isId } from '@tutti/runtime'
import type { Context } from '../context.ts'
import type { WorkflowDefinition } from '../definitions/index.ts'
import { RUN_COLUMNS, type RunRow } from '../runs/load-runs.ts'
import { TASK_COLUMNS } from '../tasks/load-tasks.ts'
import { runAt, type RunThen } from './run-at.ts'
import { type PastEvent, type PastTask, type RunOrigin, textOf } from './run-past.ts'

/** A run as it was at a moment; null when there is no such run, or was none yet. A moment to come is now. */
export async function readRunAt(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  id: string,
  at: Date,
): Promise<RunThen | null> {
  if (!isId(id)) return null
  const values = [actor.organizationId, id]
  // The log before the rows: whatever it tells, they show already.
  const events = await database.readTenant<PastEvent & { seq: bigint }>(
    actor,
    `select seq, type, time, data from log.event
     where organization_id = $1 and run_id = $2 and (type like 'run.%' or type like 'task.%') order by seq`,
    values,
  )
  const tasks = await database.readTenant<PastTask>(
    actor,
    `select ${TASK_COLUMNS}, node_id as "nodeId", kind, parent_id as "parentId", position, arrival
     from task where organization_id = $1 and run_id = $2 order by id`,
    values,
  )
  const [run] = await database.readTenant<RunRow>(
    actor,
    `select ${RUN_COLUMNS} from run where organization_id = $1 and id = $2`,
    values,
  )
  if (!run) return null
  const versions = events.flatMap((event) =>
    event.type === 'run.migrated' ? [textOf(event, 'fromVersionId'), textOf(event, 'toVersionId')] : [],
  )
  const fork = events.find(({ type }) => type === 'run.forked')
  const [origin] = await database.readTenant<RunOrigin>(
    actor,
    'select input, version_id as "versionId" from run where organization_id = $1 and id = $2',
    [actor.organizationId, fork ? textOf(fork, 'fromRunId') : null],
  )
  const definitions = await database.readTenant<{ id: string; definition: WorkflowDefinition }>(
    actor,
    'select id, definition from workflow_version where organization_id = $1 and id = any($2::uuid[])',
    [actor.organizationId, [run.versionId, origin?.versionId, ...versions]],
  )
  const known = new Map(definitions.map(({ id: versionId, definition }) => [versionId, definition]))
  const past = { run, tasks, events, ...(origin ? { origin } : {}) }
  return runAt(past, (versionId) => known.get(versionId), at)
}
