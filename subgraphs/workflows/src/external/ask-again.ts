import { setTimeout as pause } from 'node:timers/promises'
import type { Actor } from '@tutti/schema'
import type pg from 'pg'
import type { Services } from '../context.ts'
import { aboutTask } from '../engine/store/plan-transitions.ts'
import { recordEvents } from '../runs/control/record-events.ts'
import { PLACE } from '../tasks/control/control-task.ts'
import { type ExternalTask, releasedEvent } from './external-task.ts'

const LOOK_MS = 25

/** A governed task that was let through too long ago, with its item and its strand locked. */
export interface StaleTask extends ExternalTask {
  strandId: string
  fence: number
  /** Its last claim ran out and was not given back. */
  lapsed: boolean
}

/** What is on its way through the gate. */
export interface AskedAgain {
  tasks: string[]
  /** Before this moment, on the database's clock, nothing of it was let through anew. */
  since: Date
}

/**
 * Has authority and policies asked once more before governed tasks are given out: the attempt, the same one, is taken up by the
 * engine, which lets it through, asks people, or says why not. What an act of control holds at this moment stays as it is.
 */
export async function askAgain(
  client: pg.PoolClient,
  actor: Actor,
  stale: readonly StaleTask[],
): Promise<AskedAgain> {
  if (stale.length === 0) return { tasks: [], since: new Date(0) }
  const o = actor.organizationId
  const { rows: runs } = await client.query<{ id: string }>(
    `select id from run where organization_id = $1 and id = any($2::uuid[]) and status in ('running', 'waiting')
     order by id for key share skip locked`,
    [o, [...new Set(stale.map(({ runId }) => runId))]],
  )
  const asked = stale.filter(({ runId }) => runs.some(({ id }) => id === runId))
  const { rows } = await client.query<{ since: Date }>(
    `with back as (
       update task set status = 'ready', attempt = attempt - 1 where organization_id = $1 and id = any($2::uuid[])
     ), moved as (
       update strand s set status = 'ready', due_at = ${PLACE}, resume = null, wait_key = null, fence = s.fence + 1,
         recoveries = s.recoveries + case when s.id = any($4::uuid[]) then 1 else 0 end
       from run r where r.organization_id = $1 and r.id = s.run_id and s.organization_id = $1 and s.id = any($3::uuid[])
       returning s.run_id, s.parent_id
     ), going as (
       update run r set status = 'running' from moved m
       where r.organization_id = $1 and r.id = m.run_id and m.parent_id is null and r.status = 'waiting'
     )
     select now() as since`,
    [
      o,
      asked.map(({ id }) => id),
      asked.map(({ strandId }) => strandId),
      asked.flatMap(({ strandId, lapsed }) => (lapsed ? [strandId] : [])),
    ],
  )
  await recordEvents(
    client,
    actor,
    asked.flatMap((task) => [
      ...(task.lapsed ? [releasedEvent(task, task.fence, 'lease')] : []),
      { type: 'task.ready', ...aboutTask(task, task) },
    ]),
  )
  return { tasks: asked.map(({ id }) => id), since: rows[0]?.since ?? new Date(0) }
}

/** Waits until the engine has said of these tasks what becomes of them, so many milliseconds at most. */
export async function untilAnswered(
  { database }: Pick<Services, 'database'>,
  actor: Actor,
  tasks: readonly string[],
  patienceMs: number,
): Promise<void> {
  for (const until = performance.now() + patienceMs; performance.now() < until; await pause(LOOK_MS)) {
    const open = await database.readTenant(
      actor,
      `select from task where organization_id = $1 and id = any($2::uuid[]) and status in ('ready', 'running') limit 1`,
      [actor.organizationId, tasks],
    )
    if (open.length === 0) return
  }
}
