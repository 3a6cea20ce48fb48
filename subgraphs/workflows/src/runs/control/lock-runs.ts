import type pg from 'pg'
import type { CoreEvent, RunStatus } from '../../engine/core/index.ts'

/** A run, locked: nobody writes for it until this transaction ends, and then only who reads it anew. */
export interface LockedRun {
  id: string
  status: RunStatus
  workflowId: string
  workflowName: string
  versionId: string
  parentTaskId: string | null
  /** Of a sub-run that its parent waits for. */
  parentStrandId: string | null
}

/** A strand of locked runs, locked as well. */
export interface LockedStrand {
  id: string
  runId: string
  parentId: string | null
  parentTaskId: string | null
  taskId: string | null
  status: 'ready' | 'running' | 'waiting' | 'held'
  resume: CoreEvent | null
  state: Record<string, unknown>
}

/**
 * Locks runs, in the order of their ids. Those that are not there, or are another tenant's, are missing in the answer.
 * Who works for one waits, or is seen whole: a worker's write locks the run before its strand.
 */
export async function lockRuns(
  client: pg.PoolClient,
  organizationId: string,
  ids: readonly string[],
): Promise<LockedRun[]> {
  const { rows } = await client.query<LockedRun>(
    `select r.id, r.status, r.workflow_id as "workflowId", w.name as "workflowName", r.version_id as "versionId",
       r.parent_task_id as "parentTaskId", r.parent_strand_id as "parentStrandId"
     from run r join workflow w on w.organization_id = r.organization_id and w.id = r.workflow_id
     where r.organization_id = $1 and r.id = any($2::uuid[]) order by r.id for update of r`,
    [organizationId, ids],
  )
  return rows
}

/** Whoever still works by what it read before the lock is refused, and reads again or stops. */
export async function raiseEpoch(
  client: pg.PoolClient,
  organizationId: string,
  ids: readonly string[],
): Promise<void> {
  await client.query('update run set epoch = epoch + 1 where organization_id = $1 and id = any($2::uuid[])', [
    organizationId,
    ids,
  ])
}

/**
 * Locks all strands of locked runs, in the order of their ids. A statement that had to wait has not seen what was
 * inserted meanwhile: so it looks again until there is nothing new.
 */
export async function lockStrands(
  client: pg.PoolClient,
  organizationId: string,
  runIds: readonly string[],
): Promise<LockedStrand[]> {
  for (let known: string | undefined; ;) {
    const { rows } = await client.query<LockedStrand>(
      `select id, run_id as "runId", parent_id as "parentId", parent_task_id as "parentTaskId", task_id as "taskId", status,
         resume, state
       from strand where organization_id = $1 and run_id = any($2::uuid[]) order by id for update`,
      [organizationId, runIds],
    )
    const found = rows.map(({ id }) => id).join()
    if (found === known) return rows
    known = found
  }
}
