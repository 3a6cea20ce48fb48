import { type ExportedEntry, keysOf, textOf } from './exported-entry.ts'

/** No class of entries is kept for less, in milliseconds: what is younger was not pruned. */
const LEAST_AGE = 89 * 86_400_000

/** Types of events that say what is gone, and rightly. */
export const ACCOUNTS: readonly unknown[] = ['audit.pruned', 'subject.erased']

/**
 * An entry of the trail that was pruned is not there, and a later event of the chain has to say so: until that comes, it is
 * owed. Of one whose text was erased, an event anywhere says that a key of it was destroyed. Grows with what was pruned and erased.
 */
export class Owed {
  readonly #open = new Map<string, { sequence: number; time: number }>()
  /** How many were accounted for. */
  pruned = 0
  readonly #textless = new Array<{ sequence: number; keys: string[] }>()
  readonly #destroyed = new Set<string>()

  /** The entry of an event is not there. */
  add({ seq, sequence, time }: ExportedEntry): void {
    this.#open.set(String(seq), { sequence, time: Date.parse(textOf(time) ?? '') })
  }

  /** The entry of an event is there without its text. */
  addErased(line: ExportedEntry): void {
    this.#textless.push({ sequence: line.sequence, keys: keysOf(line) })
  }

  /** How many have no text, and were accounted for. */
  get erased(): number {
    return this.#textless.filter((entry) => this.#isAccountedFor(entry)).length
  }

  /** Takes what an event says was pruned or erased; the event has been verified. */
  settle({ type, data, time }: ExportedEntry): void {
    if (!ACCOUNTS.includes(type)) return
    if (type === 'subject.erased' && typeof data === 'object' && data !== null && 'keyIds' in data)
      for (const key of Array.isArray(data.keyIds) ? data.keyIds : []) this.#destroyed.add(String(key))
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
    const textless = this.#textless.filter((entry) => !this.#isAccountedFor(entry))
    return [...this.#open.values(), ...textless].map(({ sequence }) => sequence).sort((a, b) => a - b)
  }

  #isAccountedFor({ keys }: { keys: string[] }): boolean {
    return keys.some((key) => this.#destroyed.has(key))
  }
}
