import { setTimeout as wait } from 'node:timers/promises'
import type { WorkerServices } from './worker-services.ts'

/** How often a look is made, in milliseconds after the one before ended, and what is said in the log of one that fails. */
export interface Looking {
  everyMs: number
  failure: string
}

/**
 * Looks again and again until it is disposed of, which waits for the look under way. One that fails is told, and the next
 * comes in its time; one that answers true left something, and the next follows at once.
 */
export function lookOften(
  { log }: Pick<WorkerServices, 'log'>,
  { everyMs, failure }: Looking,
  look: (signal: AbortSignal) => Promise<unknown>,
): AsyncDisposable {
  const stopping = new AbortController()
  const { signal } = stopping
  const loop = (async () => {
    while (!signal.aborted) {
      const answer = await look(signal).catch((error: unknown) => log.warn({ err: error }, failure))
      if (answer !== true) await wait(everyMs, undefined, { signal }).catch(() => undefined)
    }
  })()
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await loop
    },
  }
}
