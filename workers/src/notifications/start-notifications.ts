import { claimNotifications, settleNotification } from '@tutti/governance/domain'
import { lookOften } from '../look-often.ts'
import { type WorkerServices, workerActor } from '../worker-services.ts'
import { deliver, type DeliveryServices } from './deliver.ts'

const LOOK_MS = 1_000
const MOST = 20

/**
 * Tells people what waits for them, of every tenant, within a second or two; what came to nothing is tried again. Every
 * process does so: who claims a telling has it for a minute.
 */
export function startNotifications(
  services: DeliveryServices & Pick<WorkerServices, 'log'>,
): AsyncDisposable {
  const failure = 'what is to be told could not be found; tried again'
  return lookOften(services, { everyMs: LOOK_MS, failure }, () => deliverDue(services))
}

/** One look; whether there may be more. One tenant's failure is not another's. */
async function deliverDue(services: DeliveryServices & Pick<WorkerServices, 'log'>): Promise<boolean> {
  const { database, log } = services
  const { rows } = await database
    .pool('worker')
    .query<{ organization_id: string; id: string }>(
      'select organization_id, id from find_due_notifications($1)',
      [MOST],
    )
  for (const [organizationId, due] of Map.groupBy(rows, (row) => row.organization_id)) {
    const actor = workerActor(organizationId)
    try {
      const claimed = await claimNotifications(
        services,
        actor,
        due.map(({ id }) => id),
      )
      await Promise.all(
        claimed.map(async (each) =>
          settleNotification(services, actor, each, await deliver(services, organizationId, each)),
        ),
      )
    } catch (error) {
      log.warn({ err: error, organizationId }, 'what is to be told by an organization could not be')
    }
  }
  return rows.length === MOST
}
