import type { Actor, NewEvent } from '@tutti/schema'
import type pg from 'pg'
import { aboutTask } from '../../engine/store/plan-transitions.ts'
import { type LockedRun, lockStrands, raiseEpoch } from './lock-runs.ts'
import { lockSubruns } from './lock-subruns.ts'
import { recordEvents } from './record-events.ts'
import { aboutRun } from './run-reference.ts'
import { wakeParents } from './wake-parents.ts'

interface CancelledTask {
  id: string
  run_id: string
  step_path: string
  agent_id: string | null
  attempt: number
}

export interface Cancelling {
  reason: string | null
  /** At once, and without compensation. */
  terminated: boolean
  /** The run has failed with this, and was not cancelled. */
  failure?: { code: string; message: string }
}

/**
 * Ends these locked runs, with the sub-runs they wait for. Who works on one of their tasks is told at the next renewal,
 * and the late answer finds no strand. What was asked of people is taken back by the events.
 */
export async function cancelRuns(
  client: pg.PoolClient,
  actor: Actor,
  runs: readonly LockedRun[],
  { reason, terminated, failure }: Cancelling,
): Promise<void> {
  const o = actor.organizationId
  const all = [...runs, ...(await lockSubruns(client, o, runs, 'awaited'))]
  const byId = new Map(all.map((run) => [run.id, run]))
  const ids = [...byId.keys()]
  await raiseEpoch(client, o, ids)
  await lockStrands(client, o, ids)
  const { rows: tasks } = await client.query<CancelledTask>(
    `update task set status = 'cancelled', ended_at = clock_timestamp()
     where organization_id = $1 and run_id = any($2::uuid[]) and status in ('ready', 'running', 'waiting')
     returning id, run_id, step_path, agent_id, attempt`,
    [o, ids],
  )
  const error = failure ?? {
    code: terminated ? 'RUN_TERMINATED' : 'RUN_CANCELLED',
    message: reason ?? 'Stopped on request.',
  }
  const status = failure ? 'failed' : 'cancelled'
  await client.query(
    `update run r set status = case when r.id = any($4::uuid[]) then $5 else 'cancelled' end, error = $3, ended_at = clock_timestamp(), state = coalesce((
       select s.state from strand s
       where s.organization_id = r.organization_id and s.run_id = r.id and s.parent_id is null), r.state)
     where r.organization_id = $1 and r.id = any($2::uuid[])`,
    [o, ids, JSON.stringify(error), runs.map(({ id }) => id), status],
  )
  await client.query('delete from strand where organization_id = $1 and run_id = any($2::uuid[])', [o, ids])
  await wakeParents(client, o, runs, {
    type: 'child_run_ended',
    node: '',
    status,
    output: {},
    error,
  })
  const events: NewEvent[] = tasks
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .flatMap((task) => {
      const run = byId.get(task.run_id)
      if (!run) return []
      const { id, step_path: path, agent_id: agentId, attempt } = task
      return [
        { type: 'task.cancelled' as const, ...aboutTask(aboutRun(run).data, { id, path, agentId, attempt }) },
      ]
    })
  for (const run of all) {
    const { subject, data } = aboutRun(run)
    if (failure && runs.includes(run)) {
      events.push({ type: 'run.failed', subject, data: { ...data, error: failure } })
      continue
    }
    events.push({
      type: 'run.cancelled',
      subject,
      data: { ...data, reason, ...(terminated ? { terminated } : {}) },
    })
  }
  await recordEvents(client, actor, events)
}
