import { setTimeout as wait } from 'node:timers/promises'
import { claimNotifications, settleNotification } from '@tutti/governance/domain'
import { lookOften } from '../look-often.ts'
import { type WorkerServices, workerActor } from '../worker-services.ts'
import { deliver, type DeliveryServices } from './deliver.ts'

const LOOK_MS = 1_000
const MOST = 100
/** Tenants that are told of at once, and tellings of one of them. */
const TENANTS = 8
const OF_ONE = 20

/**
 * Tells people what waits for them, of every tenant, within a second or two; what came to nothing is tried again. Every
 * process does so: who claims a telling has it for a minute. Tenants are told side by side, so that nobody waits for
 * another's receiver.
 */
export function startNotifications(services: DeliveryServices): AsyncDisposable {
  const failure = 'what is to be told could not be found; tried again'
  const telling = new Map<string, Promise<void>>()

  /** One look; whether there may be more. */
  async function look(signal: AbortSignal): Promise<boolean> {
    const begun = [...(await findDue(services))]
      .filter(([organizationId]) => !telling.has(organizationId))
      .slice(0, TENANTS - telling.size)
    const ends = begun.map(([organizationId, ids]) => {
      const end = deliverDue(services, organizationId, ids).finally(() => telling.delete(organizationId))
      telling.set(organizationId, end)
      return end
    })
    // Those that take longer are left to themselves, and the others looked for.
    const over = wait(LOOK_MS, false, { signal }).catch(() => false)
    const isDone = await Promise.race([Promise.all(ends).then(() => true), over])
    return isDone && begun.some(([, ids]) => ids.length === OF_ONE)
  }

  const looking = lookOften(services, { everyMs: LOOK_MS, failure }, look)
  return {
    async [Symbol.asyncDispose]() {
      await looking[Symbol.asyncDispose]()
      await Promise.all(telling.values())
    },
  }
}

/** What is due, by tenant. */
async function findDue({ database }: Pick<WorkerServices, 'database'>): Promise<Map<string, string[]>> {
  const { rows } = await database
    .pool('worker')
    .query<{ organization_id: string; id: string }>(
      'select organization_id, id from find_due_notifications($1)',
      [MOST],
    )
  const due = Map.groupBy(rows, (row) => row.organization_id)
  return new Map(
    [...due].map(([organizationId, of]) => [organizationId, of.slice(0, OF_ONE).map(({ id }) => id)]),
  )
}

/** One tenant's; its failure is not another's. */
async function deliverDue(
  services: DeliveryServices,
  organizationId: string,
  ids: readonly string[],
): Promise<void> {
  const actor = workerActor(organizationId)
  try {
    const claimed = await claimNotifications(services, actor, ids)
    await Promise.all(
      claimed.map(async (each) =>
        settleNotification(services, actor, each, await deliver(services, organizationId, each)),
      ),
    )
  } catch (error) {
    services.log.warn({ err: error, organizationId }, 'what is to be told by an organization could not be')
  }
}
