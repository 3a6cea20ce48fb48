import type { Actor } from '@tutti/schema'
import type pg from 'pg'
import type { LockedRun } from './lock-runs.ts'
import { lockStrands, raiseEpoch } from './lock-runs.ts'
import { recordEvents } from './record-events.ts'
import { aboutRun } from './run-reference.ts'

/**
 * No new work of these locked runs begins. What is under way may finish: its answer is written by who reads the run
 * anew, and what would follow is held. Waits go on waiting.
 */
export async function pauseRuns(
  client: pg.PoolClient,
  actor: Actor,
  runs: readonly LockedRun[],
  reason: string | null,
): Promise<void> {
  const ids = runs.map(({ id }) => id)
  await raiseEpoch(client, actor.organizationId, ids)
  await lockStrands(client, actor.organizationId, ids)
  await client.query(
    `update strand set status = 'held', due_at = null
     where organization_id = $1 and run_id = any($2::uuid[]) and status = 'ready'`,
    [actor.organizationId, ids],
  )
  await client.query(`update run set status = 'paused' where organization_id = $1 and id = any($2::uuid[])`, [
    actor.organizationId,
    ids,
  ])
  await recordEvents(
    client,
    actor,
    runs.map((run) => {
      const { subject, data } = aboutRun(run)
      return { type: 'run.paused', subject, data: { ...data, reason } } as const
    }),
  )
}
