/** The last moment that a date can be, in milliseconds since 1970. */
const LAST_MOMENT = 8_640_000_000_000_000

type Due = {
  readonly at: number
  readonly order: number
  readonly isStill: () => boolean
  readonly act: () => void
}

/**
 * A clock that stands still while something is done and then is at the next moment at which something is due. What is due
 * at one moment is done in the order in which it was put there; what is to be done at once, before it.
 */
export class VirtualClock {
  /** The present, in milliseconds since 1970. */
  now: number
  #soon: (() => void)[] = []
  #done = 0
  #order = 0
  /** A heap: the parent of the one at `i` is at `(i - 1) >> 1`, and due no later. */
  readonly #later: Due[] = []

  constructor(now: number) {
    this.now = now
  }

  /** To be done before the clock moves. */
  soon(act: () => void): void {
    this.#soon.push(act)
  }

  /**
   * To be done at a time, the past being now, if `isStill` is true by then: the clock does not move for what is not. False
   * when the time is later than any date.
   */
  at(time: number, isStill: () => boolean, act: () => void): boolean {
    if (!(time <= LAST_MOMENT)) return false
    this.#push({ at: Math.max(time, this.now), order: this.#order, isStill, act })
    this.#order += 1
    return true
  }

  /** What is to be done next, with the clock at its time; undefined when nothing is. */
  next(): (() => void) | undefined {
    const soon = this.#soon[this.#done]
    if (soon) {
      this.#done += 1
      return soon
    }
    this.#soon = []
    this.#done = 0
    for (let due = this.#pop(); due; due = this.#pop()) {
      if (!due.isStill()) continue
      this.now = due.at
      return due.act
    }
    return undefined
  }

  #push(due: Due): void {
    const heap = this.#later
    let at = heap.length
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent]
      if (!above || !isBefore(due, above)) break
      heap[at] = above
      at = parent
    }
    heap[at] = due
  }

  #pop(): Due | undefined {
    const heap = this.#later
    const first = heap[0]
    const last = heap.pop()
    if (!first || !last || first === last) return first
    let at = 0
    for (;;) {
      const left = heap[2 * at + 1]
      const right = heap[2 * at + 2]
      const isRight = left !== undefined && right !== undefined && isBefore(right, left)
      const below = isRight ? right : left
      if (!below || !isBefore(below, last)) break
      heap[at] = below
      at = 2 * at + (isRight ? 2 : 1)
    }
    heap[at] = last
    return first
  }
}

const isBefore = (a: Due, b: Due): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)
