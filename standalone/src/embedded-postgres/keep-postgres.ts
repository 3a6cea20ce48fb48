import { setTimeout as sleep } from 'node:timers/promises'
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from './start-embedded-postgres.ts'

/** A PostgreSQL that is started again when it dies by itself. */
export interface KeptPostgres {
  /** By its socket, where it has one. */
  readonly url: string
  /** Ends it, and starts it no more. */
  stop(): Promise<void>
}

/**
 * Starts PostgreSQL as {@link startEmbeddedPostgres} does, and again, on the same port, when it dies (killed for its
 * memory, say). Pools reconnect by themselves. Its first start may throw; later failures are told and tried again.
 */
export async function keepPostgres(options: EmbeddedPostgresOptions): Promise<KeptPostgres> {
  const { log = () => {} } = options
  const stopping = new AbortController()
  let running: EmbeddedPostgres | undefined = await startEmbeddedPostgres(options)
  const { socketUrl: url } = running

  const loop = (async () => {
    while (!stopping.signal.aborted) {
      if (running !== undefined) await Promise.race([running.ended, aborted(stopping.signal)])
      if (stopping.signal.aborted) return
      log(running === undefined ? 'starting PostgreSQL again' : 'PostgreSQL died: starting it again')
      running = undefined
      try {
        running = await startEmbeddedPostgres(options)
        if (running.socketUrl !== url)
          log(`PostgreSQL's port was taken meanwhile: please stop and start Tutti`)
      } catch (error) {
        log(error instanceof Error ? error.message : String(error))
        await sleep(1000, undefined, { signal: stopping.signal }).catch(() => {})
      }
    }
  })()

  return {
    url,
    stop: async () => {
      stopping.abort()
      await loop
      await running?.stop()
    },
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
