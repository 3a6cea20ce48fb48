import { setTimeout as wait } from 'node:timers/promises'
import {
  MOST_FIRINGS,
  MOST_SCHEDULES,
  scheduleDueTriggers,
  startDueFirings,
  untilNextFiring,
} from '@tutti/workflows/domain'
import type { WorkerServices } from '../worker-services.ts'

/** Somebody may have made a schedule that is due before all we know: so we look at least this often. */
const LOOK_MS = 5_000
const RETRY_MS = 1_000
/** What is due but in somebody else's hands is not asked for without a pause. */
const LEAST_MS = 20

export interface TriggerScheduler extends AsyncDisposable {
  /** Looks at once. */
  wake(): void
}

/**
 * Fires schedules when their time comes and starts the runs of all firings, of every tenant. Every process does so; a
 * schedule's time fires once, whoever comes to it. `wake` tells the runners of tasks that runs were started.
 */
export function startTriggerScheduler(
  services: Pick<WorkerServices, 'database' | 'log'>,
  wake: () => void,
): TriggerScheduler {
  const { database, log } = services
  const stopping = new AbortController()
  let nudged = Promise.withResolvers<void>()

  async function look(): Promise<void> {
    try {
      while ((await scheduleDueTriggers(database)) === MOST_SCHEDULES && !stopping.signal.aborted);
    } finally {
      while ((await startDueFirings({ ...services, wake })) === MOST_FIRINGS && !stopping.signal.aborted);
    }
  }

  const loop = (async () => {
    while (!stopping.signal.aborted) {
      nudged = Promise.withResolvers()
      let pause = RETRY_MS
      try {
        await look()
        pause = Math.min(Math.max((await untilNextFiring(database)) ?? LOOK_MS, LEAST_MS), LOOK_MS)
      } catch (error) {
        log.warn({ err: error }, 'triggers could not be looked at')
      }
      const timer = new AbortController()
      const signal = AbortSignal.any([timer.signal, stopping.signal])
      await Promise.race([nudged.promise, wait(pause, undefined, { signal }).catch(() => undefined)])
      timer.abort()
    }
  })()

  return {
    wake: () => nudged.resolve(),
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await loop
    },
  }
}
