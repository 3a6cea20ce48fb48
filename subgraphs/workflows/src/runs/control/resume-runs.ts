import type { Actor } from '@tutti/schema'
import type pg from 'pg'
import { lockStrands, type LockedRun, raiseEpoch } from './lock-runs.ts'
import { lockSubruns } from './lock-subruns.ts'
import { recordEvents } from './record-events.ts'
import { releaseStrands } from './release-strands.ts'
import { aboutRun } from './run-reference.ts'

/**
 * These locked, paused runs go on, and with them the sub-runs that were paused with them: as running, as waiting when
 * their main line waits for something from outside, or as queued when they had not begun.
 */
export async function resumeRuns(
  client: pg.PoolClient,
  actor: Actor,
  runs: readonly LockedRun[],
  reason: string | null,
): Promise<void> {
  const own = new Set(runs.map(({ id }) => id))
  const below = await lockSubruns(client, actor.organizationId, runs, 'paused')
  const all = [...runs, ...below.filter(({ id }) => !own.has(id))]
  const ids = all.map(({ id }) => id)
  await raiseEpoch(client, actor.organizationId, ids)
  await lockStrands(client, actor.organizationId, ids)
  await client.query(
    `update run r set paused_with_parent = false, status = case
       when not exists (select from task t where t.organization_id = r.organization_id and t.run_id = r.id) then 'queued'
       when exists (
         select from strand s join task t on t.organization_id = s.organization_id and t.id = s.task_id
         where s.organization_id = r.organization_id and s.run_id = r.id and s.parent_id is null
           and s.status = 'waiting' and t.kind not in ('parallel', 'map')) then 'waiting'
       else 'running' end
     where r.organization_id = $1 and r.id = any($2::uuid[])`,
    [actor.organizationId, ids],
  )
  await releaseStrands(client, actor.organizationId, ids)
  await recordEvents(
    client,
    actor,
    all.map((run) => {
      const { subject, data } = aboutRun(run)
      return { type: 'run.resumed', subject, data: { ...data, reason } } as const
    }),
  )
}
