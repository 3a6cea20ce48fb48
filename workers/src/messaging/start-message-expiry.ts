import { setTimeout as wait } from 'node:timers/promises'
import { endOverdueMessages } from '@tutti/agents/domain'
import type { WorkerServices } from '../worker-services.ts'

const LOOK_MS = 1_000

/** Ends messages of every tenant that are out of time, requests that nobody answered too, within a second or two. Every process does so. */
export function startMessageExpiry({
  database,
  log,
}: Pick<WorkerServices, 'database' | 'log'>): AsyncDisposable {
  const stopping = new AbortController()
  const { signal } = stopping
  const loop = (async () => {
    while (!signal.aborted) {
      const ended = await endOverdueMessages({ database }).catch((error: unknown) => {
        log.warn({ err: error }, 'messages that are out of time could not be ended; tried again')
        return 0
      })
      if (ended === 0) await wait(LOOK_MS, undefined, { signal }).catch(() => undefined)
    }
  })()
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await loop
    },
  }
}
