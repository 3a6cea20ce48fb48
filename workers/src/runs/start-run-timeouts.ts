import { setTimeout as wait } from 'node:timers/promises'
import { failOverdueRuns } from '@tutti/workflows/domain'
import type { WorkerServices } from '../worker-services.ts'

const LOOK_MS = 1_000

/** Fails runs of every tenant whose own time is over, within a second or two. Every process does so. */
export function startRunTimeouts({
  database,
  log,
}: Pick<WorkerServices, 'database' | 'log'>): AsyncDisposable {
  const stopping = new AbortController()
  const { signal } = stopping
  const loop = (async () => {
    while (!signal.aborted) {
      await failOverdueRuns({ database }).catch((error: unknown) =>
        log.warn({ err: error }, 'runs whose time is over could not be ended; tried again'),
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
