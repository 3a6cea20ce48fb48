import type { Actor } from '@tutti/schema'
import { setTimeout as sleep } from 'node:timers/promises'

import { clientError } from '../errors/client-error.ts'
import type { PresentError } from '../errors/present-error.ts'
import type { SubgraphResult } from '../subgraph/subgraph-endpoint.ts'
import type { SharedMessage, Subscriber } from './shared-message.ts'
import type { SubscriptionPlan } from './subscription-plan.ts'

/** A subscriber with the last cursor it has; moves from stream to stream without missing or repeating one. */
export interface Member {
  subscriber: Subscriber
  last: string | null
  stream: EventStream | null
}

export interface StreamSettings {
  plan: SubscriptionPlan
  variables: Record<string, unknown>
  actor: Actor | null
  /** Start after this cursor; null starts with what happens from now on. */
  from: string | null
  present: PresentError
  compare(a: string, b: string): number
  /** After each delivered event. */
  onDelivered(stream: EventStream): void
  /** When it has nobody left, or its upstream is over. */
  onEnded(stream: EventStream): void
  /** Counts what was done, for metrics and tests. */
  count(what: 'upstreams' | 'executions' | 'deliveries'): void
  /** Milliseconds an upstream may be away before its members are told. */
  outageMs: number
}

const RING_MESSAGES = 256
const RING_CHARACTERS = 1024 * 1024
/** A stream that catches up waits for members that have more than this to send. */
const CATCH_UP_PRESSURE = 256 * 1024

/** One upstream, one execution an event, any number of members. Strictly one event at a time. */
export class EventStream {
  readonly members = new Set<Member>()
  /** Everything after this cursor is in the ring or still to come; null while unknown. */
  floor: string | null
  /** Cursor of the last event delivered. */
  last: string | null
  readonly #settings: StreamSettings
  readonly #abort = new AbortController()
  readonly #ring: { cursor: string; message: SharedMessage }[] = []
  #ringCharacters = 0
  #gap = false

  constructor(settings: StreamSettings) {
    this.#settings = settings
    this.floor = settings.from
    this.last = settings.from
  }

  /** Whether a member that has seen `cursor` can join without missing anything. */
  covers(cursor: string): boolean {
    return this.floor !== null && this.#settings.compare(cursor, this.floor) >= 0
  }

  /** Takes the member in, giving it at once what the ring has and it has not. */
  adopt(member: Member): void {
    member.stream?.members.delete(member)
    member.stream = this
    this.members.add(member)
    if (member.last === null) return
    for (const { message } of this.#ring) this.#offer(member, message)
  }

  release(member: Member): void {
    this.members.delete(member)
    if (member.stream === this) member.stream = null
    if (this.members.size === 0) this.stop()
  }

  /** Lets the upstream go at once. */
  stop(): void {
    if (this.#abort.signal.aborted) return
    this.#abort.abort()
    this.#settings.onEnded(this)
  }

  /** Runs until the last member has left, the upstream completes, or it stays away too long. */
  async run(): Promise<void> {
    const { plan, variables, actor, present, count, outageMs } = this.#settings
    const { signal } = this.#abort
    let awaySince: number | null = null
    let attempt = 0
    while (!signal.aborted) {
      try {
        count('upstreams')
        for await (const event of plan.open({ variables, after: this.last, actor, signal })) {
          if (signal.aborted) return
          awaySince = null
          attempt = 0
          if (event.data === undefined && event.errors !== undefined)
            return this.#fail(event.errors.map(present))
          await this.#deliver(event)
        }
        if (signal.aborted) return
        return this.#complete()
      } catch (error) {
        if (signal.aborted) return
        awaySince ??= Date.now()
        if (isRefusal(error) || Date.now() - awaySince >= outageMs) {
          return this.#fail([present(isRefusal(error) ? error : clientError('UNAVAILABLE'))])
        }
        // Without a cursor we cannot know what happened meanwhile, and say so with the next event.
        this.#gap ||= this.last === null
        const wait = Math.min(5_000, 100 * 2 ** attempt) * (0.5 + Math.random() / 2)
        attempt += 1
        await sleep(wait, undefined, { signal }).catch(() => {})
      }
    }
  }

  async #deliver(event: SubgraphResult): Promise<void> {
    const { plan, variables, actor, present, compare, count } = this.#settings
    const { signal } = this.#abort
    const cursor = plan.cursorOf(event)
    if (cursor !== null && this.last !== null && compare(cursor, this.last) <= 0) return
    count('executions')
    const { data, errors, extensions } = await plan.answer(event, { variables, actor, signal })
    if (signal.aborted) return
    const payload = JSON.stringify({
      data,
      ...(errors === undefined ? {} : { errors: errors.map(present) }),
      extensions: {
        ...extensions,
        ...(cursor === null ? {} : { cursor }),
        ...(this.#gap ? { gap: true } : {}),
      },
    })
    this.#gap = false
    const message = { cursor, payload }
    if (cursor !== null) this.#remember(cursor, message)
    for (const member of this.members) this.#offer(member, message)
    this.#settings.onDelivered(this)
    if (this.#settings.from !== null) await this.#easePressure()
  }

  #offer(member: Member, message: SharedMessage): void {
    if (message.cursor !== null) {
      if (member.last !== null && this.#settings.compare(message.cursor, member.last) <= 0) return
      member.last = message.cursor
    }
    this.#settings.count('deliveries')
    member.subscriber.next(message)
  }

  #remember(cursor: string, message: SharedMessage): void {
    this.last = cursor
    this.floor ??= cursor
    this.#ring.push({ cursor, message })
    this.#ringCharacters += message.payload.length
    while (this.#ring.length > RING_MESSAGES || this.#ringCharacters > RING_CHARACTERS) {
      const evicted = this.#ring.shift()
      if (evicted === undefined) return
      this.#ringCharacters -= evicted.message.payload.length
      this.floor = evicted.cursor
    }
  }

  /** History comes faster than clients read: wait for them, five seconds at most (then they are cut off as slow). */
  async #easePressure(): Promise<void> {
    const { signal } = this.#abort
    const until = Date.now() + 5_000
    const pressed = () => [...this.members].some((member) => member.subscriber.pressure() > CATCH_UP_PRESSURE)
    while (!signal.aborted && pressed() && Date.now() < until) await sleep(5)
  }

  #fail(errors: readonly object[]): void {
    const members = [...this.members]
    this.stop()
    for (const member of members) member.subscriber.fail(errors)
  }

  #complete(): void {
    const members = [...this.members]
    this.stop()
    for (const member of members) member.subscriber.complete()
  }
}

/** The subgraph refused the call itself: trying again changes nothing. */
function isRefusal(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('response' in error)) return false
  const { response } = error
  if (typeof response !== 'object' || response === null || !('status' in response)) return false
  return typeof response.status === 'number' && response.status >= 400 && response.status < 500
}
