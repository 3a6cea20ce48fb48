import { setTimeout as wait } from 'node:timers/promises'
import { proveStops } from '@tutti/workflows/domain'
import type { WorkerServices } from '../worker-services.ts'

const LOOK_MS = 500

/**
 * Sees to it that orders to stop hold, and that their record says when the last task stopped. Every process looks, twice
 * a second; where no order stands, that is one look at an empty index. `wake` is called when something was let go.
 */
export function startContainment(
  services: Pick<WorkerServices, 'database' | 'log'>,
  wake: () => void,
): AsyncDisposable {
  const { log } = services
  const stopping = new AbortController()
  const { signal } = stopping
  const loop = (async () => {
    while (!signal.aborted) {
      try {
        if (await proveStops(services)) wake()
      } catch (error) {
        log.warn({ err: error }, 'orders to stop could not be looked at')
      }
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
