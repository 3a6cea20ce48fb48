import { setTimeout as wait } from 'node:timers/promises'
import { findPutAside, putEventAside, settlePutAside } from '@tutti/governance/domain'
import type { Data } from '@tutti/prisma'
import type { Log } from '@tutti/runtime'
import type { EventRecord } from '@tutti/schema'
import { workerActor } from '../worker-services.ts'
import type { Consumer } from './consumer.ts'
import { judgeFailure, tellFailure } from './judge-failure.ts'

const RETRY_MS = 500
/** How long is waited before an event is tried again that may fail for good: a minute in all. */
const PAUSES_MS: readonly number[] = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000]
/** For so long after one was put aside, others of the same tenant are not waited for. */
const IMPATIENT_MS = 10 * 60_000

/** Handles events for one consumer; one call at a time. */
export interface EventHandler {
  /** True when all are handled or put aside; false when `ended` aborts before. */
  handle(events: readonly EventRecord[], ended: AbortSignal): Promise<boolean>
  /** Handles once more what was put aside and somebody wants handled. */
  handlePutAside(ended: AbortSignal): Promise<void>
}

/**
 * What fails is handled again, and without end where the failure says nothing of it: the database is away, others were in
 * the way. Otherwise smaller parts find the one event that fails, and it is put aside: at once when it cannot be handled,
 * else after a minute of tries. A consumer whose `failing` is `wait` waits for ever.
 */
export function openEventHandler(
  { database, tail }: Pick<Data, 'database' | 'tail'>,
  consumer: Consumer,
  log: Log,
  pausesMs: readonly number[] = PAUSES_MS,
): EventHandler {
  const impatientUntil = new Map<string, number>()
  const rest = (ms: number, ended: AbortSignal): Promise<unknown> =>
    wait(ms, undefined, { signal: ended }).catch(() => undefined)

  async function putAside(event: EventRecord, error: unknown, tries: number): Promise<void> {
    const { organizationId, seq } = event
    const reason = { ...tellFailure(error), tries }
    await putEventAside({ database }, workerActor(organizationId), consumer.name, event, reason)
    log.error(
      { err: error, consumer: consumer.name, organizationId, seq: String(seq) },
      'an event was put aside',
    )
  }

  /** One event, from its first failure on. */
  async function insist(event: EventRecord, ended: AbortSignal): Promise<boolean> {
    const { organizationId } = event
    for (let tries = 1; !ended.aborted;) {
      let error: unknown
      try {
        await consumer.handle([event])
        return true
      } catch (thrown) {
        error = thrown
      }
      const judgement = judgeFailure(error)
      const pause =
        judgement === 'final' || performance.now() < (impatientUntil.get(organizationId) ?? 0)
          ? undefined
          : pausesMs[tries - 1]
      log.warn({ err: error, consumer: consumer.name, organizationId }, 'a consumer failed at an event')
      if (judgement !== 'passing' && pause === undefined) {
        try {
          await putAside(event, error, tries)
          if (judgement === 'unknown') impatientUntil.set(organizationId, performance.now() + IMPATIENT_MS)
          return true
        } catch (failure) {
          log.warn({ err: failure, consumer: consumer.name }, 'an event could not be put aside; tried again')
        }
      } else if (judgement !== 'passing') tries += 1
      await rest(judgement === 'passing' ? RETRY_MS : (pause ?? RETRY_MS), ended)
    }
    return false
  }

  async function handle(events: readonly EventRecord[], ended: AbortSignal): Promise<boolean> {
    while (!ended.aborted) {
      try {
        await consumer.handle(events)
        return true
      } catch (error) {
        log.warn({ err: error, consumer: consumer.name }, 'a consumer failed; the same events again')
        const [event, another] = events
        if (consumer.failing === 'wait' || judgeFailure(error) === 'passing' || !event) {
          await rest(RETRY_MS, ended)
          continue
        }
        if (!another) return insist(event, ended)
        const middle = Math.ceil(events.length / 2)
        return (await handle(events.slice(0, middle), ended)) && (await handle(events.slice(middle), ended))
      }
    }
    return false
  }

  async function handlePutAside(ended: AbortSignal): Promise<void> {
    for (const { organizationId, seq } of await findPutAside(database, consumer.name)) {
      if (ended.aborted) return
      const event = await eventAt(tail, seq)
      try {
        if (event) await consumer.handle([event])
        await settlePutAside({ database }, workerActor(organizationId), consumer.name, seq)
      } catch (error) {
        if (!event || judgeFailure(error) === 'passing') throw error
        await putAside(event, error, 1)
      }
    }
  }

  return { handle, handlePutAside }
}

/** The event of this number; undefined when the log holds it no longer. */
async function eventAt(tail: Data['tail'], seq: bigint): Promise<EventRecord | undefined> {
  const read = new AbortController()
  for await (const events of tail.follow(seq - 1n, read.signal)) {
    read.abort()
    return events.find((event) => event.seq === seq)
  }
  return undefined
}
