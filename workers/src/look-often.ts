import { setTimeout as wait } from 'node:timers/promises'
import type { WorkerServices } from './worker-services.ts'

/** How often a look is made, in milliseconds after the one before ended, and what is said in the log of one that fails. */
export interface Looking {
  everyMs: number
  /** How long after the start the first look is made; at once unless given. */
  firstMs?: number
  failure: string
}

/**
 * Looks again and again until it is disposed of, which waits for the look under way. One that fails is told, and the next
 * comes in its time; one that answers true left something, and the next follows at once.
 */
export function lookOften(
  { log }: Pick<WorkerServices, 'log'>,
  { everyMs, firstMs = 0, failure }: Looking,
  look: (signal: AbortSignal) => Promise<unknown>,
): AsyncDisposable {
  const stopping = new AbortController()
  const { signal } = stopping
  const rest = (ms: number): Promise<unknown> => wait(ms, undefined, { signal }).catch(() => undefined)
  const loop = (async () => {
    if (firstMs > 0) await rest(firstMs)
    while (!signal.aborted) {
      const answer = await look(signal).catch((error: unknown) => log.warn({ err: error }, failure))
      if (answer !== true) await rest(everyMs)
    }
  })()
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await loop
    },
  }
}
