import { type ExportedEntry, textOf } from './exported-entry.ts'

/** No class of entries is kept for less, in milliseconds: what is younger was not pruned. */
const LEAST_AGE = 89 * 86_400_000

/**
 * An entry of the trail that was pruned is not there, and a later event of the chain has to say so: until that comes, it is
 * owed. Grows with what was pruned.
 */
export class Owed {
  readonly #open = new Map<string, { sequence: number; time: number }>()
  /** How many were accounted for. */
  pruned = 0

  /** The entry of an event is not there. */
  add({ seq, sequence, time }: ExportedEntry): void {
    this.#open.set(String(seq), { sequence, time: Date.parse(textOf(time) ?? '') })
  }

  /** Takes what an event says was pruned; the event has been verified. */
  settle({ type, data, time }: ExportedEntry): void {
    if (type !== 'audit.pruned' || typeof data !== 'object' || data === null || !('events' in data)) return
    const now = Date.parse(textOf(time) ?? '')
    for (const seq of Array.isArray(data.events) ? data.events : []) {
      const open = this.#open.get(String(seq))
      if (!open || !(now - open.time >= LEAST_AGE)) continue
      this.#open.delete(String(seq))
      this.pruned += 1
    }
  }

  /** The sequences of those that nothing accounts for. */
  missing(): number[] {
    return [...this.#open.values()].map(({ sequence }) => sequence)
  }
}
