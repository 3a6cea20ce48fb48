interface Entry {
  at: number
  turn: number
  act: () => void
}

/** Virtual time: what is to happen, in the order of its time, and of its announcement where times are equal. */
export class Timeline {
  /** Milliseconds since the simulation began. */
  now = 0
  readonly #heap: Entry[] = []
  #turn = 0

  after(ms: number, act: () => void): void {
    this.#turn += 1
    const entry = { at: this.now + Math.max(0, ms), turn: this.#turn, act }
    const heap = this.#heap
    let at = heap.push(entry) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = heap[above]
      if (!parent || isBefore(parent, entry)) break
      heap[at] = parent
      at = above
    }
    heap[at] = entry
  }

  /** Lets the next thing happen; false when there is none. */
  step(): boolean {
    const heap = this.#heap
    const [first] = heap
    const last = heap.pop()
    if (!first || !last) return false
    if (heap.length > 0) this.#sink(last)
    this.now = first.at
    first.act()
    return true
  }

  #sink(entry: Entry): void {
    const heap = this.#heap
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      let child = heap[below]
      const other = heap[below + 1]
      if (!child) break
      if (other && isBefore(other, child)) {
        below += 1
        child = other
      }
      if (isBefore(entry, child)) break
      heap[at] = child
      at = below
    }
    heap[at] = entry
  }
}

const isBefore = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.turn < b.turn)
