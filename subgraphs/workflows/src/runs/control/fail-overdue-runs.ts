import type { Database } from '@tutti/prisma'
import { systemActor } from '@tutti/schema'
import { cancelRuns } from './cancel-runs.ts'
import { lockRuns } from './lock-runs.ts'

const AT_ONCE = 100

interface OverdueRun {
  organizationId: string
  id: string
  timeoutMs: bigint
}

const OVERDUE = `select organization_id as "organizationId", id, timeout_ms as "timeoutMs" from run
  where timeout_ms is not null and status = 'running'
    and clock_timestamp() > coalesce(began_at, created_at) + (timeout_ms + waited_ms) * interval '1 millisecond'`

/**
 * Fails runs whose own time is over, with RUN_TIMED_OUT and without their fallback; time spent waiting or paused does not
 * count, and a run that waits now is not looked at. Any number of workers may look at once. Answers with how many.
 */
export async function failOverdueRuns({ database }: { database: Database }): Promise<number> {
  const { rows } = await database.pool('worker').query<OverdueRun>(`${OVERDUE} limit ${AT_ONCE}`)
  let failed = 0
  for (const { organizationId, id, timeoutMs } of rows) {
    const actor = systemActor(organizationId, 'worker')
    failed += await database.transact(actor, async (client) => {
      const locked = await lockRuns(client, organizationId, [id])
      const runs = locked.filter(({ status }) => status === 'running')
      const message = `The run took longer than ${timeoutMs} ms, waits not counted.`
      if (runs.length > 0)
        await cancelRuns(client, actor, runs, {
          reason: null,
          terminated: false,
          failure: { code: 'RUN_TIMED_OUT', message },
        })
      return runs.length
    })
  }
  if (failed > 0) database.announce()
  return failed
}
