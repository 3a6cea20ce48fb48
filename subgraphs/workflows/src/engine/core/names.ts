import type { NodeId } from '../../definitions/index.ts'
import type { RunView } from './run-view.ts'

type State = Readonly<Record<string, unknown>>

/** Name of the strand's state that holds the turn a loop is in, from 0. */
export const turnName = (loop: NodeId): string => `$turn:${loop}`

/**
 * The names of a strand as one call changes them: its own state, then the states around it, the innermost first, then
 * the trigger's payload. Names beginning with `$` are the engine's own, and no step sees them.
 */
export class Names {
  readonly #state: State
  readonly #outer: readonly State[]
  readonly #seen: readonly State[]
  readonly #written = new Map<string, unknown>()

  constructor({ strand, input }: RunView) {
    this.#state = strand.state
    this.#outer = strand.outer
    this.#seen = [strand.state, ...strand.outer, input]
  }

  /** What a step sees under a name; null where nothing produced it on this path. Inherited names are none. */
  lookUp(name: string): unknown {
    if (name.startsWith('$')) return null
    if (this.#written.has(name)) return this.#written.get(name) ?? null
    const state = this.#seen.find((names) => Object.hasOwn(names, name))
    return state?.[name] ?? null
  }

  /** A name of the engine's in the strand's own state; undefined if it is not there. */
  mark(name: string): unknown {
    if (this.#written.has(name)) return this.#written.get(name)
    return Object.hasOwn(this.#state, name) ? this.#state[name] : undefined
  }

  /** The turn of a loop around the strand or on it. */
  turnOf(loop: NodeId): number {
    const name = turnName(loop)
    const turn = this.mark(name) ?? this.#outer.find((state) => Object.hasOwn(state, name))?.[name]
    return typeof turn === 'number' ? turn : 0
  }

  write(name: string, value: unknown): void {
    this.#written.set(name, value)
  }

  /** The strand's own state as it is now, the engine's names included. */
  own(): Record<string, unknown> {
    return { ...this.#state, ...Object.fromEntries(this.#written) }
  }

  /** The strand's own names that steps see. */
  visible(): Record<string, unknown> {
    return Object.fromEntries(Object.entries(this.own()).filter(([name]) => !name.startsWith('$')))
  }

  /** The states that a child of this strand has around it. */
  around(): readonly State[] {
    return [this.own(), ...this.#outer]
  }
}
