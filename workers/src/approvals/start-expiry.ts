import { settleDueApprovals } from '@tutti/governance/domain'
import { lookOften } from '../look-often.ts'
import { type WorkerServices, workerActor } from '../worker-services.ts'

const SWEEP_MS = 5_000
const MOST = 500

/** Ends what nobody decided in time, of every tenant, so that what waits for it goes on. Looks again every 5 s. */
export function startExpiry(services: Pick<WorkerServices, 'database' | 'log'>): AsyncDisposable {
  const failure = 'approvals could not be ended in time'
  return lookOften(services, { everyMs: SWEEP_MS, failure }, () => expireOverdue(services))
}

/** One look: each tenant's overdue questions in a transaction of its own. One tenant's failure is not another's. */
export async function expireOverdue({
  database,
  log,
}: Pick<WorkerServices, 'database' | 'log'>): Promise<number> {
  const { rows } = await database
    .pool('worker')
    .query<{ organization_id: string; id: string }>(
      'select organization_id, id from find_overdue_approvals($1)',
      [MOST],
    )
  let ended = 0
  for (const [organizationId, overdue] of Map.groupBy(rows, (row) => row.organization_id)) {
    const ids = overdue.map(({ id }) => id)
    try {
      ended += await settleDueApprovals({ database }, workerActor(organizationId), ids)
    } catch (error) {
      log.warn({ err: error, organizationId }, 'approvals of an organization could not be ended in time')
    }
  }
  return ended
}
