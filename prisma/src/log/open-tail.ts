import { setTimeout as wait } from 'node:timers/promises'
import { type EventRecord, fail, seqOf } from '@tutti/schema'
import pg from 'pg'
import type { Database } from '../tenancy/open-database.ts'
import { EVENT_CHANNEL } from './announcer.ts'
import { createMailbox, type Mailbox } from './mailbox.ts'
import { type EventSelection, isPast, lastSeq, lookAt, readEvents, readHorizon } from './read-events.ts'

const PAGE = 1_000
const POLL_MS = 250
/** How long to wait before asking again whether older writers have ended: at first, and at most. */
const HORIZON_RETRY_MS = 1
const HORIZON_PATIENCE_MS = 8
/** While events keep coming, they are read together: a few this often, and many this often. */
const PACE_MS = 2
const PACE_OF_MANY_MS = 10
const MANY = 50
const MAILBOX_LIMIT = 10_000
const ENDLESS = 2n ** 63n - 1n

export interface EventFilter {
  organizationId: string
  types?: readonly EventRecord['type'][]
  /** Only of this run; the past is then read by the run's own index. */
  runId?: string
  /** Keeps an event when true; on top of organization and types. */
  matches?: (event: EventRecord) => boolean
}

/** One reader of the log per process, fanned out in memory. */
export interface Tail extends AsyncDisposable {
  /**
   * Events after the cursor and then live, without gap or repeat; from now on when there is no cursor. Ends when the
   * signal aborts. CURSOR_INVALID when the cursor is not one of ours.
   */
  subscribe(
    filter: EventFilter,
    options: { after?: string | null; signal?: AbortSignal },
  ): AsyncGenerator<EventRecord>
  /** Every event of every tenant after a position, in pages; for consumers. */
  follow(after: bigint, signal: AbortSignal): AsyncGenerator<EventRecord[]>
  /** Position up to which everything is delivered. */
  position(): bigint
  /** How long a gap in the numbers has been waiting for a writer, milliseconds; 0 when there is none. */
  horizonLagMs(): number
}

/**
 * Opens the process's tail: waits for nudges, polls for the lost ones, reads only what is safe to read. What follows
 * without a gap is; at a gap it waits for those who are writing (ADR 16).
 */
export async function openTail(database: Database): Promise<Tail> {
  const pool = database.pool('tail')
  const stopping = new AbortController()
  const mailboxes = new Set<Mailbox<EventRecord[]>>()
  let delivered = await settledSeq(pool, stopping.signal)
  let waitingSince = 0
  let wake: () => void = () => undefined

  let nudged = false
  const nudge = (): void => {
    nudged = true
    wake()
  }
  const listener = await listen(pool, nudge)
  database.onAppend(nudge)

  const loop = (async () => {
    while (!stopping.signal.aborted) {
      const awake = new Promise<void>((resolve) => (wake = resolve))
      try {
        const isNudged = nudged
        nudged = false
        if (isNudged || (await lastSeq(pool)) > delivered) {
          const begun = performance.now()
          const count = await advance()
          // Nothing to be seen, and yet numbers were drawn: they may have been drawn in vain.
          if (count === 0 && !isNudged && (await passGap()) === 0) nudged = true
          const rest = begun + (count >= MANY ? PACE_OF_MANY_MS : PACE_MS) - performance.now()
          if (count > 0 && rest > 0) await wait(rest, undefined, { signal: stopping.signal })
          if (count > 0) continue
        }
      } catch {
        await wait(POLL_MS, undefined, { signal: stopping.signal }).catch(() => undefined)
      }
      if (nudged) continue
      const timer = new AbortController()
      await Promise.race([awake, wait(POLL_MS, undefined, { signal: timer.signal }).catch(() => undefined)])
      timer.abort()
    }
  })()

  /** Delivers what can be seen, number by number; answers with how many events that were. */
  async function advance(): Promise<number> {
    let count = 0
    for (;;) {
      const events = await readEvents(pool, { after: delivered, upTo: ENDLESS, limit: PAGE })
      const sure = events.filter(({ seq }, index) => seq === delivered + BigInt(index + 1))
      if (sure.length > 0) deliver(sure, sure.at(-1)?.seq ?? delivered)
      count += sure.length
      if (sure.length < events.length) count += await passGap()
      else if (events.length < PAGE) return count
    }
  }

  /**
   * The next number cannot be seen, and others after it can. Whoever drew it may be about to commit: waits until it is
   * there, or until everybody who was writing has ended. Then it is not coming, nor is any other up to that horizon that
   * cannot be seen. Answers with how many events it delivered.
   */
  async function passGap(): Promise<number> {
    const missing = delivered + 1n
    const horizon = await readHorizon(pool)
    waitingSince = Date.now()
    try {
      let pause = HORIZON_RETRY_MS
      for (let { past } = horizon; !past;) {
        await wait(pause, undefined, { signal: stopping.signal })
        pause = Math.min(2 * pause, HORIZON_PATIENCE_MS)
        const found = await lookAt(pool, missing, horizon.transaction)
        if (found.there) return 0
        past = found.past
      }
    } finally {
      waitingSince = 0
    }
    return deliverUpTo(horizon.last)
  }

  function deliver(events: EventRecord[], upTo: bigint): void {
    if (events.length > 0) for (const mailbox of mailboxes) mailbox.push(events)
    delivered = upTo
  }

  /** Everything that can be seen up to a number below which nothing can appear; answers with how many events it was. */
  async function deliverUpTo(upTo: bigint): Promise<number> {
    let count = 0
    while (delivered < upTo) {
      const events = await readEvents(pool, { after: delivered, upTo, limit: PAGE })
      deliver(events, events.length < PAGE ? upTo : (events.at(-1)?.seq ?? upTo))
      count += events.length
    }
    return count
  }

  /** Joins the live feed first, then reads the past up to where the feed began: no gap, no repeat. */
  async function* follow(
    after: bigint,
    signal: AbortSignal,
    past: EventSelection = {},
  ): AsyncGenerator<EventRecord[]> {
    const mailbox = createMailbox<EventRecord[]>(MAILBOX_LIMIT)
    const joinedAt = delivered
    mailboxes.add(mailbox)
    const close = (): void => mailbox.close()
    signal.addEventListener('abort', close, { once: true })
    stopping.signal.addEventListener('abort', close, { once: true })
    try {
      if (signal.aborted) return
      for (let seq = after; seq < joinedAt;) {
        const page = await readEvents(pool, { after: seq, upTo: joinedAt, limit: PAGE, ...past })
        if (page.length > 0) yield page
        if (signal.aborted) return
        seq = page.length < PAGE ? joinedAt : (page.at(-1)?.seq ?? joinedAt)
      }
      for await (const events of mailbox) {
        const fresh = events.filter((event) => event.seq > after)
        if (fresh.length > 0) yield fresh
      }
    } finally {
      mailboxes.delete(mailbox)
      signal.removeEventListener('abort', close)
      stopping.signal.removeEventListener('abort', close)
      mailbox.close()
    }
  }

  return {
    async *subscribe(filter, { after, signal = new AbortController().signal }) {
      const from = after == null ? delivered : (seqOf(after) ?? fail('CURSOR_INVALID', { path: 'after' }))
      const { organizationId, types, runId } = filter
      const past = { organizationId, ...(types ? { types } : {}), ...(runId === undefined ? {} : { runId }) }
      for await (const events of follow(from, signal, past)) {
        for (const event of events) if (keeps(filter, event)) yield event
      }
    },
    follow: (after, signal) => follow(after, signal),
    position: () => delivered,
    horizonLagMs: () => (waitingSince === 0 ? 0 : Date.now() - waitingSince),
    async [Symbol.asyncDispose]() {
      stopping.abort()
      wake()
      await loop
      await listener.stop()
    },
  }
}

function keeps(filter: EventFilter, event: EventRecord): boolean {
  return (
    event.organizationId === filter.organizationId &&
    (filter.types === undefined || filter.types.includes(event.type)) &&
    (filter.runId === undefined || runOf(event) === filter.runId) &&
    (filter.matches === undefined || filter.matches(event))
  )
}

const runOf = ({ data }: EventRecord): string | null => ('runId' in data ? data.runId : null)

/** A position below which nothing can appear any more. */
async function settledSeq(pool: pg.Pool, signal: AbortSignal): Promise<bigint> {
  const { last, transaction, past } = await readHorizon(pool)
  if (!past)
    do await wait(HORIZON_RETRY_MS, undefined, { signal })
    while (!(await isPast(pool, transaction)))
  return last
}

/** LISTEN on a connection of its own, made anew when it breaks. */
async function listen(pool: pg.Pool, onNudge: () => void): Promise<{ stop(): Promise<void> }> {
  let stopped = false
  let client: pg.Client | undefined
  const connect = async (): Promise<void> => {
    const next = new pg.Client({ ...pool.options, application_name: 'tutti-listen' })
    next.on('error', () => undefined)
    next.on('notification', onNudge)
    next.on('end', () => {
      if (!stopped) setTimeout(() => void connect().catch(() => undefined), POLL_MS).unref()
    })
    await next.connect()
    await next.query(`listen ${EVENT_CHANNEL}`)
    client = next
  }
  await connect()
  return {
    async stop() {
      stopped = true
      await client?.end()
    },
  }
}
