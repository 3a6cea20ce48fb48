import type { Database } from '@tutti/prisma'
import { systemActor } from '@tutti/schema'
import {
  askBreaker,
  CLOSED,
  breakerAfterFailure,
  breakerAfterSuccess,
  type BreakerAnswer,
  type BreakerSettings,
  type BreakerState,
} from './breaker-state.ts'
import { changeBreaker } from './change-breaker.ts'
import type { BreakerTarget } from './write-breaker.ts'

/** What others changed is known this soon. */
const TRUST_MS = 1_000
const MOST_WELL = 10_000

/** Whose breaker, and how it is set. */
export interface BreakerSubject extends BreakerTarget {
  organizationId: string
  settings: BreakerSettings
  /** The agent's, that is called. What fails when another serves already says nothing about the agent. */
  version?: number
}

/**
 * The breakers of all tenants, as one process sees them. What is closed costs nothing: only those that are not are
 * remembered, for a second, and nothing is written but failures and what changes.
 */
export interface Breakers {
  /** Before a call; `retryAfterMs` comes with `wait`. Who gets `trial` alone may call, and says how it went. */
  ask(subject: BreakerSubject): Promise<{ answer: BreakerAnswer; retryAfterMs: number }>
  /** A call failed in a way that says that the other side is broken; `asTrial`: it was let through as a trial. */
  failed(subject: BreakerSubject, error: { code: string; message: string }, asTrial?: boolean): Promise<void>
  /**
   * A call went well. A trial closes the breaker; of any other it is remembered in this process alone, where the failures
   * before it count no more: an agent that fails now and then among many calls that work is not broken.
   */
  worked(subject: BreakerSubject, asTrial?: boolean): Promise<void>
}

function openBreakers(
  { database }: { database: Database },
  now: () => number = () => performance.now(),
): Breakers {
  /** Of those that are not closed: until when there is no use in asking, by `now`. */
  let known = new Map<string, number>()
  let until = Number.NEGATIVE_INFINITY
  /** Whose last call in this process went well. */
  const well = new Set<string>()
  let reading: Promise<void> | undefined

  async function read(): Promise<void> {
    const asked = now()
    const { rows } = await database.pool('worker').query<{ key: string; ms: number }>(
      `select organization_id || '/' || scope || '/' || subject as key,
         coalesce(extract(epoch from retry_at - clock_timestamp())::float8 * 1000, 0) as ms
       from breaker where state <> 'closed'`,
    )
    known = new Map(rows.map(({ key, ms }) => [key, asked + ms]))
    until = asked + TRUST_MS
  }

  async function fresh(): Promise<void> {
    if (until > now()) return
    reading ??= read().finally(() => {
      reading = undefined
    })
    await reading
  }

  async function change(
    subject: BreakerSubject,
    ...how: Parameters<typeof changeBreaker> extends [unknown, unknown, unknown, ...infer Rest] ? Rest : never
  ) {
    const actor = systemActor(subject.organizationId, 'worker')
    const { row, now: moment } = await changeBreaker({ database }, actor, subject, ...how)
    if (row.state === 'closed') known.delete(keyOf(subject))
    else known.set(keyOf(subject), now() + (row.retryAt?.getTime() ?? moment) - moment)
    return { row, moment }
  }

  return {
    async ask(subject) {
      await fresh()
      const mayTry = known.get(keyOf(subject))
      if (mayTry === undefined) return { answer: 'pass', retryAfterMs: 0 }
      if (mayTry > now()) return { answer: 'wait', retryAfterMs: Math.ceil(mayTry - now()) }
      let answer: BreakerAnswer = 'wait'
      const { row, moment } = await change(subject, (before, at) => {
        const asked = askBreaker(before, at, subject.settings)
        answer = asked.answer
        return asked.after
      })
      return { answer, retryAfterMs: Math.max(0, Math.ceil((row.retryAt?.getTime() ?? moment) - moment)) }
    },
    async failed(subject, error, asTrial = false) {
      // It is open already, for all we know: what began before says nothing new.
      if (!asTrial && known.has(keyOf(subject))) return
      const isFirst = well.delete(keyOf(subject))
      const fail = (before: BreakerState, at: number, serving: number | null): BreakerState => {
        if (subject.version !== undefined && serving !== subject.version) return before
        if (before.state === 'half_open' && !asTrial) return before
        const since = isFirst && before.state === 'closed' ? CLOSED : before
        return breakerAfterFailure(since, at, subject.settings)
      }
      await change(subject, fail, { cause: 'recovered', error })
    },
    async worked(subject, asTrial = false) {
      if (well.size > MOST_WELL) well.clear()
      well.add(keyOf(subject))
      if (asTrial) await change(subject, breakerAfterSuccess)
    },
  }
}

const opened = new WeakMap<Database, Breakers>()

/** The one view of the breakers of a database in this process. */
export function breakersOf(database: Database): Breakers {
  const breakers = opened.get(database) ?? openBreakers({ database })
  opened.set(database, breakers)
  return breakers
}

const keyOf = ({ organizationId, scope, subject }: BreakerSubject): string =>
  `${organizationId}/${scope}/${subject}`
