import type { Actor } from '@tutti/schema'
import type pg from 'pg'
import { isRunPausable } from '../../engine/core/index.ts'
import { type LockedRun, lockStrands, raiseEpoch } from './lock-runs.ts'
import { lockSubruns } from './lock-subruns.ts'
import { recordEvents } from './record-events.ts'
import { aboutRun } from './run-reference.ts'

export interface Pausing {
  reason: string | null
  /** Sub-runs that nobody waits for are paused too. */
  detached?: boolean
}

/**
 * No new work of these locked runs begins, nor of the sub-runs that they wait for, which are resumed with them. What is
 * under way may finish: its answer is written by who reads the run anew, and what would follow is held. Waits go on
 * waiting. Of runs that are paused already it is an order of their own from now on: who resumes what is above leaves them.
 */
export async function pauseRuns(
  client: pg.PoolClient,
  actor: Actor,
  runs: readonly LockedRun[],
  { reason, detached = false }: Pausing,
): Promise<void> {
  const o = actor.organizationId
  const own = runs.map(({ id }) => id)
  const below = await lockSubruns(client, o, runs, detached ? 'all' : 'awaited')
  const all = [...runs, ...below.filter(({ id }) => !own.includes(id))].filter(({ status }) =>
    isRunPausable(status),
  )
  const ids = all.map(({ id }) => id)
  await raiseEpoch(client, o, ids)
  await lockStrands(client, o, ids)
  await client.query(
    `update strand set status = 'held', due_at = null
     where organization_id = $1 and run_id = any($2::uuid[]) and status = 'ready'`,
    [o, ids],
  )
  await client.query(
    `update run set paused_with_parent = false
     where organization_id = $1 and id = any($2::uuid[]) and paused_with_parent`,
    [o, own],
  )
  await client.query(
    `update run set status = 'paused', paused_with_parent = id <> all($3::uuid[])
     where organization_id = $1 and id = any($2::uuid[])`,
    [o, ids, own],
  )
  await recordEvents(
    client,
    actor,
    all.map((run) => {
      const { subject, data } = aboutRun(run)
      return { type: 'run.paused', subject, data: { ...data, reason } } as const
    }),
  )
}
