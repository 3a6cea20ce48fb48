import { raiseDueEscalations } from '@tutti/governance/domain'
import { lookOften } from '../look-often.ts'
import { type WorkerServices, workerActor } from '../worker-services.ts'

const LOOK_MS = 1_000
const MOST = 200

/** Takes escalations of every tenant whose deadline has passed up a level, within a second or two. Every process does so. */
export function startEscalations(services: Pick<WorkerServices, 'database' | 'log'>): AsyncDisposable {
  const failure = 'escalations that are due could not be found; tried again'
  return lookOften(services, { everyMs: LOOK_MS, failure }, () => raiseDue(services))
}

/** One look: each tenant's in a transaction of its own. One tenant's failure is not another's. */
async function raiseDue({ database, log }: Pick<WorkerServices, 'database' | 'log'>): Promise<boolean> {
  const { rows } = await database
    .pool('worker')
    .query<{ organization_id: string; id: string }>(
      'select organization_id, id from find_due_escalations($1)',
      [MOST],
    )
  let raised = 0
  for (const [organizationId, due] of Map.groupBy(rows, (row) => row.organization_id)) {
    const ids = due.map(({ id }) => id)
    try {
      raised += await raiseDueEscalations({ database }, workerActor(organizationId), ids)
    } catch (error) {
      log.warn({ err: error, organizationId }, 'escalations of an organization could not be raised')
    }
  }
  return raised === MOST
}
