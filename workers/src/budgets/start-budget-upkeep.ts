import { countReportedCosts, releaseReservations } from '@tutti/agents/domain'
import { lookOften } from '../look-often.ts'
import type { WorkerServices } from '../worker-services.ts'

const LOOK_MS = 1_000

/**
 * Counts what agents of every tenant reported after the fact, and lets go what lost processes had reserved, within a
 * second or two. Every process does so.
 */
export function startBudgetUpkeep(services: Pick<WorkerServices, 'database' | 'log'>): AsyncDisposable {
  const failure = 'reservations whose leases are over are still held; tried again'
  return lookOften(services, { everyMs: LOOK_MS, failure }, async () => {
    await countReportedCosts(services).catch((error: unknown) =>
      services.log.warn({ err: error }, 'reported costs were not counted by budgets; tried again'),
    )
    await releaseReservations(services)
  })
}
