import { setTimeout as wait } from 'node:timers/promises'
import type { Data } from '@tutti/prisma'
import type { Log } from '@tutti/runtime'
import type { EventRecord } from '@tutti/schema'
import pg from 'pg'
import { lookOften } from '../look-often.ts'
import type { Consumer } from './consumer.ts'
import { type EventHandler, openEventHandler } from './handle-events.ts'

export type { Consumer } from './consumer.ts'

const STAND_BY_MS = 2_000
const PUT_ASIDE_MS = 5_000
const SAVE_MS = 1_000

/**
 * Runs a consumer here while no other process does: an advisory lock on a connection of its own says who. When the
 * connection breaks, somebody else (or we again) goes on from the stored position. `pausesMs`: between the tries of an
 * event that may fail for good; a minute in all unless given. `lookMs`: how often it looks for what is to be taken again.
 */
export function startConsumer(
  { database, tail }: Pick<Data, 'database' | 'tail'>,
  consumer: Consumer,
  log: Log,
  { pausesMs, lookMs = PUT_ASIDE_MS }: { pausesMs?: readonly number[]; lookMs?: number } = {},
): AsyncDisposable {
  const stopping = new AbortController()
  const { signal } = stopping
  const pool = database.pool('worker')

  async function lead(ended: AbortSignal): Promise<void> {
    const { rows } = await pool.query<{ seq: bigint }>(
      `insert into log.consumer (name) values ($1) on conflict (name) do update set name = excluded.name returning seq`,
      [consumer.name],
    )
    consumer.begin?.()
    await using position = keepPosition(pool, consumer.name, rows[0]?.seq ?? 0n, log)
    const handler = openEventHandler({ database, tail }, consumer, log, pausesMs)
    const inTurn = takingTurns()
    await using _retaking = consumer.failing === 'put_aside' ? retaking(handler, inTurn) : undefined
    const pages = tail.follow(position.seq, ended)
    const { gatherMs } = consumer
    for await (const events of gatherMs === undefined ? pages : gather(pages, gatherMs)) {
      if (!(await inTurn(() => handler.handle(events, ended)))) return
      position.seq = events.at(-1)?.seq ?? position.seq
    }
  }

  /** Looks for what was put aside and is to be handled once more. */
  const retaking = (handler: EventHandler, inTurn: Turns): AsyncDisposable =>
    lookOften(
      { log },
      {
        everyMs: lookMs,
        firstMs: lookMs,
        failure: 'what was put aside could not be taken again',
      },
      (over) => inTurn(() => handler.handlePutAside(AbortSignal.any([over, signal]))),
    )

  /** Stands by on a connection of its own, not on one of those that the engine's statements share, and leads on it. */
  async function standBy(): Promise<void> {
    const client = new pg.Client(pool.options)
    const lost = new AbortController()
    const onLost = (): void => lost.abort()
    client.on('error', onLost)
    client.on('end', onLost)
    const ended = AbortSignal.any([signal, lost.signal])
    try {
      await client.connect()
      while (!ended.aborted) {
        const { rows } = await client.query<{ mine: boolean }>(
          'select pg_try_advisory_lock(hashtextextended($1, 7)) as mine',
          [consumer.name],
        )
        if (rows[0]?.mine) {
          try {
            return await lead(ended)
          } finally {
            consumer.end?.()
          }
        }
        await wait(STAND_BY_MS, undefined, { signal: ended }).catch(() => undefined)
      }
    } finally {
      // The lock goes with the connection.
      await client.end().catch(() => undefined)
    }
  }

  const loop = (async () => {
    while (!signal.aborted) {
      await standBy().catch((error: unknown) => log.warn({ err: error, consumer: consumer.name }, 'consumer'))
      await wait(STAND_BY_MS, undefined, { signal }).catch(() => undefined)
    }
  })()

  return {
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await loop
    },
  }
}

type Turns = <T>(work: () => Promise<T>) => Promise<T>

/** Work one after the other; what fails does not keep the next. */
function takingTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const mine = last.then(work)
    last = mine.catch(() => undefined)
    return mine
  }
}

const MOST_GATHERED = 10_000

/** What comes within `ms` of the first, together. */
async function* gather(
  pages: AsyncGenerator<EventRecord[]>,
  ms: number,
): AsyncGenerator<readonly EventRecord[]> {
  const next = (): Promise<IteratorResult<EventRecord[]>> => {
    const page = pages.next()
    // It may be awaited later than it fails.
    page.catch(() => undefined)
    return page
  }
  let coming = next()
  for (let page = await coming; !page.done; page = await coming) {
    const events = [...page.value]
    const over = new AbortController()
    const enough = wait(ms, undefined, { signal: over.signal }).catch(() => undefined)
    coming = next()
    while (events.length < MOST_GATHERED) {
      const more = await Promise.race([coming, enough])
      if (!more || more.done) break
      events.push(...more.value)
      coming = next()
    }
    over.abort()
    yield events
  }
}

/**
 * Stores how far a consumer has come, once a second: a commit for every page of events would cost more than the
 * events. After a crash what came since is handled again. The stored position never goes back.
 */
function keepPosition(
  pool: pg.Pool,
  name: string,
  start: bigint,
  log: Log,
): AsyncDisposable & { seq: bigint } {
  let saved = start
  const position = { seq: start, [Symbol.asyncDispose]: stop }
  async function save(): Promise<void> {
    const { seq } = position
    if (seq === saved) return
    try {
      await pool.query(
        'update log.consumer set seq = greatest(seq, $2), updated_at = clock_timestamp() where name = $1',
        [name, seq],
      )
      saved = seq
    } catch (error) {
      log.warn({ err: error, consumer: name }, 'the position was not stored; tried again')
    }
  }
  const timer = setInterval(() => void save(), SAVE_MS)
  async function stop(): Promise<void> {
    clearInterval(timer)
    await save()
  }
  return position
}
