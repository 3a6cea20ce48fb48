import type { VirtualClock } from './virtual-clock.ts'
import type { TestPlan } from './test-settings.ts'

/** A step that waits for a signal or an event. */
export type Waiting = {
  /** `signal:<name>` or `event:<type>`. */
  readonly key: string
  /** Whether it still does. */
  readonly isStill: () => boolean
  /** Whether its filter takes this event. */
  readonly accepts: (event: Readonly<Record<string, unknown>>) => boolean
  /** It has come. */
  readonly take: (payload: unknown) => void
}

type Signal = TestPlan['signals'][number]
type Event = TestPlan['events'][number] & { readonly id: string }

const SENDER = { id: 'test', kind: 'integration', name: 'test' }

/**
 * The signals and events of a test. A signal is kept until a step waits for it: the oldest of a name goes to the wait that
 * began first. An event is for those that wait when it happens; one without a time happens when somebody waits for it.
 */
export class Inbox {
  readonly #clock: VirtualClock
  readonly #waiting = new Map<string, Set<Waiting>>()
  readonly #signals = new Map<string, Signal[]>()
  readonly #unsaid: Event[] = []

  constructor(clock: VirtualClock, { signals, events }: Pick<TestPlan, 'signals' | 'events'>) {
    this.#clock = clock
    for (const signal of signals) this.#when(signal.at, () => this.#send(signal))
    for (const [index, given] of events.entries()) {
      const event = { ...given, id: `event-${index + 1}` }
      if (event.at) this.#when(event.at, () => this.#happen(event))
      else this.#unsaid.push(event)
    }
  }

  /** A step begins to wait; it is given what it waits for in the clock's next turn at the earliest. */
  wait(waiting: Waiting): void {
    const { key } = waiting
    const others = this.#waiting.get(key)
    if (others) others.add(waiting)
    else this.#waiting.set(key, new Set([waiting]))
    this.#clock.soon(() => {
      if (key.startsWith('signal:')) this.#matchSignals(key)
      else this.#sayFor(waiting)
    })
  }

  #when(
    at: { readonly time: number } | { readonly afterMs: number } | null | undefined,
    act: () => void,
  ): void {
    if (!at) return this.#clock.soon(act)
    const time = 'time' in at ? at.time : this.#clock.now + at.afterMs
    this.#clock.at(time, () => true, act)
  }

  #send(signal: Signal): void {
    const key = `signal:${signal.name}`
    const others = this.#signals.get(key)
    if (others) others.push(signal)
    else this.#signals.set(key, [signal])
    this.#matchSignals(key)
  }

  #matchSignals(key: string): void {
    const signals = this.#signals.get(key) ?? []
    for (const waiting of this.#waiting.get(key) ?? []) {
      const [signal] = signals
      if (!signal) return
      if (this.#give(waiting, signal.payload ?? null)) signals.shift()
    }
  }

  /** The first event without a time that this step takes happens. */
  #sayFor(waiting: Waiting): void {
    if (!waiting.isStill()) return
    const place = this.#unsaid.findIndex((event) => this.#isFor(waiting, event))
    const [event] = place < 0 ? [] : this.#unsaid.splice(place, 1)
    if (event) this.#happen(event)
  }

  #happen(event: Event): void {
    for (const waiting of this.#waiting.get(`event:${event.type}`) ?? [])
      if (this.#isFor(waiting, event)) this.#give(waiting, this.#factsOf(event))
  }

  /** False when it waits no more. */
  #give(waiting: Waiting, payload: unknown): boolean {
    this.#waiting.get(waiting.key)?.delete(waiting)
    if (!waiting.isStill()) return false
    this.#clock.soon(() => waiting.take(payload))
    return true
  }

  #isFor(waiting: Waiting, event: Event): boolean {
    return waiting.key === `event:${event.type}` && waiting.accepts(this.#factsOf(event))
  }

  /** What expressions read as `event`, and a wait has as its result. */
  #factsOf({ id, type, source, subject, data = null }: Event): Readonly<Record<string, unknown>> {
    const time = new Date(this.#clock.now).toISOString()
    return { id, type, source: source ?? 'test', subject: subject ?? null, data, time, actor: SENDER }
  }
}
