import { type Coroutine, answerOf, start } from './coroutine.ts'
import type { Timeline } from './timeline.ts'

/** Where virtual time begins, milliseconds since 1970. */
export const BEGINNING = Date.UTC(2027, 0, 1)

/** One process: it may die at any moment, be suspended, and its clocks are its own. */
export class Process {
  readonly name: string
  readonly number: number
  isAlive = true
  readonly #timeline: Timeline
  readonly #rate: number
  readonly #skew: number
  #isSuspended = false
  #mail: (() => void)[] = []

  /** `number`: 0 is everybody outside; `rate`: how fast its clock goes; `skew`: milliseconds by which its wall clock is wrong. */
  constructor(timeline: Timeline, number: number, { rate = 1, skew = 0 } = {}) {
    this.#timeline = timeline
    this.name = number === 0 ? 'people' : `w${number}`
    this.number = number
    this.#rate = rate
    this.#skew = skew
  }

  /** What it measures time by, as `performance.now()`: it goes on while the process is suspended. */
  get monotonic(): number {
    return this.#timeline.now * this.#rate
  }

  /** `Date.now()` */
  get wall(): number {
    return BEGINNING + Math.floor(this.#timeline.now * this.#rate) + this.#skew
  }

  /** Runs `act` here: at once, when it goes on, or never. */
  deliver(act: () => void): void {
    if (!this.isAlive) return
    if (this.#isSuspended) this.#mail.push(act)
    else act()
  }

  after(ms: number, act: () => void): void {
    this.#timeline.after(ms / this.#rate, () => this.deliver(act))
  }

  run(work: Coroutine<void>, onError: (error: unknown) => void): void {
    if (this.isAlive) start(work, onError)
  }

  *sleep(ms: number): Coroutine<void> {
    yield* answerOf<null>((resolve) => this.after(ms, () => resolve(null)))
  }

  suspend(): void {
    this.#isSuspended = true
  }

  goOn(): void {
    this.#isSuspended = false
    const mail = this.#mail
    this.#mail = []
    for (const act of mail) this.deliver(act)
  }

  kill(): void {
    this.isAlive = false
    this.#mail = []
  }
}
