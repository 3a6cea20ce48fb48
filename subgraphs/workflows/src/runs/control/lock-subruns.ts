import type pg from 'pg'
import { isRunOver } from '../../engine/core/index.ts'
import { type LockedRun, lockRuns } from './lock-runs.ts'

/**
 * Which sub-runs: those waited for, detached ones too, or those that a pause of what is above them paused. Names `t`, the
 * task that began it, and `r`.
 */
const WHICH = {
  awaited: `t.status = 'waiting' and r.parent_strand_id is not null`,
  all: 'true',
  paused: `r.status = 'paused' and r.paused_with_parent`,
} as const

/**
 * The sub-runs of locked runs, and theirs, that are not over; locked as well, level by level, so that whoever is above is
 * locked before. Lock them before any strand: a sub-run that ends holds itself and reaches for the strand above it.
 */
export async function lockSubruns(
  client: pg.PoolClient,
  organizationId: string,
  runs: readonly LockedRun[],
  which: keyof typeof WHICH,
): Promise<LockedRun[]> {
  const found: LockedRun[] = []
  for (let level = runs; level.length > 0;) {
    const { rows } = await client.query<{ id: string }>(
      `select r.id from task t join run r on r.organization_id = t.organization_id and r.parent_task_id = t.id
       where t.organization_id = $1 and t.run_id = any($2::uuid[]) and t.kind in ('workflow', 'agent') and ${WHICH[which]}`,
      [organizationId, level.map(({ id }) => id)],
    )
    const locked = await lockRuns(
      client,
      organizationId,
      rows.map(({ id }) => id),
    )
    level = locked.filter(({ status }) => !isRunOver(status))
    found.push(...level)
  }
  return found
}
