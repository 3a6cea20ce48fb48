import { countReportedCosts, releaseReservations } from '@tutti/agents/domain'
import { setTimeout as wait } from 'node:timers/promises'
import type { WorkerServices } from '../worker-services.ts'

const LOOK_MS = 1_000

/**
 * Counts what agents of every tenant reported after the fact, and lets go what lost processes had reserved, within a
 * second or two. Every process does so.
 */
export function startBudgetUpkeep({
  database,
  log,
}: Pick<WorkerServices, 'database' | 'log'>): AsyncDisposable {
  const stopping = new AbortController()
  const { signal } = stopping
  const loop = (async () => {
    while (!signal.aborted) {
      await countReportedCosts({ database }).catch((error: unknown) =>
        log.warn({ err: error }, 'reported costs were not counted by budgets; tried again'),
      )
      await releaseReservations({ database }).catch((error: unknown) =>
        log.warn({ err: error }, 'reservations whose leases are over are still held; tried again'),
      )
      await wait(LOOK_MS, undefined, { signal }).catch(() => undefined)
    }
  })()
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await loop
    },
  }
}
