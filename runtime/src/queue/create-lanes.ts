import { setTimeout as wait } from 'node:timers/promises'
import { JOBS } from '@tutti/schema'
import type { Log } from '../process/create-log.ts'
import {
  openQueueBackend,
  type QueueConnection,
  type QueueHandle,
  type WorkerHandle,
} from './queue-backend.ts'

/** Wake-ups: a job says that a lane has work, never which. Losing all of them costs seconds, never work. */
export interface Lanes extends AsyncDisposable {
  /** Wakes one worker of the lane; many calls in one turn are one job. Never throws: the reconciler finds the rest. */
  nudge(lane: string): void
  /** Calls `wake` when the lane has work. `wake` should only set off work and return. */
  work(lane: string, wake: () => void | Promise<void>): Promise<void>
}

/** A lane that is nudged again and again is woken this often: a job costs four statements. */
const PACE_MS = 10
const RECOVERY = { lockDuration: 5_000, stalledInterval: 2_500, maxStalledCount: 1_000 }

/** Lanes on BullMQ, over Redis when it has a URL and over PostgreSQL otherwise; the same code for both. */
export async function createLanes(connection: QueueConnection, log: Log): Promise<Lanes> {
  const backend = await openQueueBackend(connection)
  const queues = new Map<string, QueueHandle>()
  const workers: WorkerHandle[] = []
  /** Lanes that are being nudged, and whether somebody asked again meanwhile. */
  const nudged = new Map<string, boolean>()
  let closed = false

  const queueOf = (lane: string): QueueHandle => {
    const known = queues.get(lane)
    if (known) return known
    const queue = backend.queue(`lane-${lane}`)
    queue.on('error', (error) => log.warn({ err: error, lane }, 'queue'))
    queues.set(lane, queue)
    return queue
  }

  const add = async (lane: string): Promise<void> => {
    try {
      await queueOf(lane).add(lane, JOBS.lane.parse({ lane }), {
        deduplication: { id: lane, keepLastIfActive: true },
        removeOnComplete: true,
        removeOnFail: true,
      })
    } catch (error) {
      log.warn({ err: error, lane }, 'a nudge was lost; the reconciler will find the work')
    }
  }

  const send = async (lane: string): Promise<void> => {
    for (let again = true; again && !closed; again = nudged.get(lane) === true) {
      nudged.set(lane, false)
      await add(lane)
      await wait(PACE_MS, undefined, { ref: false })
    }
    nudged.delete(lane)
  }

  return {
    nudge(lane) {
      if (closed) return
      const isUnderWay = nudged.has(lane)
      nudged.set(lane, true)
      if (!isUnderWay) setImmediate(() => void send(lane))
    },
    async work(lane, wake) {
      const worker = backend.worker(
        `lane-${lane}`,
        async (job) => {
          JOBS.lane.parse(job.data)
          await wake()
        },
        RECOVERY,
      )
      worker.on('error', (error) => log.warn({ err: error, lane }, 'queue worker'))
      workers.push(worker)
      await worker.waitUntilReady()
    },
    async [Symbol.asyncDispose]() {
      closed = true
      await Promise.all(workers.map((worker) => worker.close()))
      await Promise.all([...queues.values()].map((queue) => queue.close()))
      await backend.close()
    },
  }
}
