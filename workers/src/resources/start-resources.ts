import { setTimeout as wait } from 'node:timers/promises'
import { settleDueResources } from '@tutti/agents/domain'
import type { WorkerServices } from '../worker-services.ts'

/** A lease that is over is another's this soon. */
const LOOK_MS = 500

/** Ends leases and windows of shared resources and serves who waits, of every tenant. Every process does so. */
export function startResources({ database, log }: Pick<WorkerServices, 'database' | 'log'>): AsyncDisposable {
  const stopping = new AbortController()
  const { signal } = stopping
  const loop = (async () => {
    while (!signal.aborted) {
      await settleDueResources({ database }).catch((error: unknown) =>
        log.warn({ err: error }, 'resources could not be settled; tried again'),
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
