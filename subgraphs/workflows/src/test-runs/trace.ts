import type { Budget } from './budget.ts'
import type { TraceEntry } from './test-result.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** What happened in a test, within its budget. */
export class Trace {
  readonly entries: TraceEntry[] = []
  readonly startedMs: number
  readonly #clock: VirtualClock
  readonly #budget: Budget

  constructor(clock: VirtualClock, budget: Budget) {
    this.startedMs = clock.now
    this.#clock = clock
    this.#budget = budget
  }

  /** @throws LimitReached */
  add(entry: Omit<TraceEntry, 'at' | 'afterMs'>): void {
    const { now } = this.#clock
    const whole = { at: new Date(now).toISOString(), afterMs: now - this.startedMs, ...entry }
    this.#budget.takeBytes(Buffer.byteLength(JSON.stringify(whole)))
    this.entries.push(whole)
  }
}
