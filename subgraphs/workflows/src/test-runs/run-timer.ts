import type { RunStatus } from '../engine/core/index.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** A run's own time on the virtual clock: it passes while the run is running, and not while it waits. */
export class RunTimer {
  readonly #clock: VirtualClock
  readonly #limitMs: number
  readonly #onOver: () => void
  #usedMs = 0
  #since: number | undefined
  #turn = 0

  /** `onOver` is called once `limitMs` of it have passed. */
  constructor(clock: VirtualClock, limitMs: number, onOver: () => void) {
    this.#clock = clock
    this.#limitMs = limitMs
    this.#onOver = onOver
  }

  /** The run has this status now. */
  note(status: RunStatus): void {
    const { now } = this.#clock
    if (status !== 'running') {
      if (this.#since !== undefined) this.#usedMs += now - this.#since
      this.#since = undefined
      this.#turn += 1
      return
    }
    if (this.#since !== undefined) return
    this.#since = now
    const turn = this.#turn
    this.#clock.at(now + this.#limitMs - this.#usedMs, () => turn === this.#turn, this.#onOver)
  }
}
