import { type Actor, fail } from '@tutti/schema'
import { isId } from '@tutti/runtime'
import type pg from 'pg'
import type { CoreEvent, TaskStatus } from '../../engine/core/index.ts'
import { type LockedRun, lockRuns } from '../../runs/control/lock-runs.ts'

/** A task with its run and the strand that is at it, all locked. */
export interface LockedTask {
  run: LockedRun
  id: string
  nodeId: string
  path: string
  kind: string
  status: TaskStatus
  attempt: number
  agentId: string | null
  /** Whether a worker outside is to do it, or does. */
  isOutside: boolean
  /** Absent when the task is over. */
  strand?: { id: string; status: 'ready' | 'running' | 'waiting' | 'held'; resume: CoreEvent | null }
}

interface Row {
  id: string
  nodeId: string
  path: string
  kind: string
  status: TaskStatus
  attempt: number
  agentId: string | null
  isOutside: boolean
  strandId: string | null
  strandStatus: NonNullable<LockedTask['strand']>['status'] | null
  resume: CoreEvent | null
}

/** Locks a task's run, then its strand. NOT_FOUND with the path `input.id`. */
export async function lockTask(client: pg.PoolClient, actor: Actor, id: string): Promise<LockedTask> {
  const o = actor.organizationId
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  const { rows: runs } = await client.query<{ run_id: string }>(
    'select run_id from task where organization_id = $1 and id = $2',
    [o, id],
  )
  const [run] = await lockRuns(
    client,
    o,
    runs.map(({ run_id }) => run_id),
  )
  if (!run) return fail('NOT_FOUND', { path: 'input.id' })
  const { rows: strands } = await client.query<{ id: string }>(
    'select id from strand where organization_id = $1 and run_id = $2 and task_id = $3 for update',
    [o, run.id, id],
  )
  const { rows } = await client.query<Row>(
    `select t.id, t.node_id as "nodeId", t.step_path as path, t.kind, t.status, t.attempt, t.agent_id as "agentId",
       coalesce(starts_with(s.wait_key, 'worker:'), false) as "isOutside", s.id as "strandId", s.status as "strandStatus", s.resume
     from task t left join strand s on s.organization_id = t.organization_id and s.id = $3
     where t.organization_id = $1 and t.id = $2`,
    [o, id, strands[0]?.id ?? null],
  )
  const row = rows[0] ?? fail('NOT_FOUND', { path: 'input.id' })
  const { strandId, strandStatus, resume, ...task } = row
  const strand = strandId && strandStatus ? { id: strandId, status: strandStatus, resume } : undefined
  return { ...task, run, ...(strand ? { strand } : {}) }
}
