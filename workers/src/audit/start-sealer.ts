import { openSealer, publishCheckpoints, type SealerSettings } from '@tutti/governance/domain'
import type { EventRecord } from '@tutti/schema'
import { startConsumer } from '../consumers/start-consumer.ts'
import { lookOften } from '../look-often.ts'
import type { WorkerServices } from '../worker-services.ts'
import { checkpointWriter } from './checkpoint-writer.ts'

const GATHER_MS = 100
const LOOK_MS = 1_000
/** An event that waited for longer is told of, once in a while. */
const LATE_MS = 2_000
const TELL_EVERY_MS = 60_000

/** Where checkpoints are written outside the database: a file's path or an http(s) URL; none: they are only in it. */
export interface SealerOptions extends SealerSettings {
  checkpoints?: string | undefined
}

/**
 * Seals the log behind the writes, in one process of all: an event is in its chain some tenths of a second after it was
 * written. Signs checkpoints when they are due, and writes them outside.
 */
export function startSealer(
  services: Pick<WorkerServices, 'database' | 'tail' | 'kms' | 'log'>,
  { checkpoints, ...settings }: SealerOptions = {},
): AsyncDisposable {
  const { database, log } = services
  const sealer = openSealer(services, settings)
  const write = checkpoints === undefined ? undefined : checkpointWriter(checkpoints)
  let leads = false
  let told = -Infinity

  function tellLag(oldest: EventRecord | undefined): void {
    const lagMs = oldest === undefined ? 0 : Date.now() - oldest.time.getTime()
    if (lagMs <= LATE_MS || performance.now() - told < TELL_EVERY_MS) return
    told = performance.now()
    log.warn({ lagMs }, 'the record is sealed late')
  }

  const consumer = startConsumer(
    services,
    {
      name: 'seal-events',
      gatherMs: GATHER_MS,
      // A chain without one of its events would be a chain that was tampered with.
      failing: 'wait',
      begin() {
        sealer.forget()
        leads = true
      },
      end() {
        leads = false
      },
      async handle(events) {
        await sealer.seal(events)
        tellLag(events[0])
      },
    },
    log,
  )
  const looking = lookOften(
    services,
    { everyMs: LOOK_MS, failure: 'checkpoints of the record are not written' },
    async () => {
      if (!leads) return
      await sealer.checkpoint()
      if (write) await publishCheckpoints(database, write)
    },
  )
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all([consumer[Symbol.asyncDispose](), looking[Symbol.asyncDispose]()])
    },
  }
}
