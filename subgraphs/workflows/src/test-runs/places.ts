import type { WorkflowDefinition } from '../definitions/index.ts'
import { limitKeyOf } from '../limits/limit-key.ts'

type Guest = {
  readonly definition: WorkflowDefinition
  readonly input: Readonly<Record<string, unknown>>
  /** Whether it may still begin, or has not ended. */
  readonly isOver: () => boolean
  readonly begin: () => void
}

/** The places that the workflows of a test have for their runs: those of their own `concurrency`. */
export class Places {
  readonly #begun = new Map<string, Guest[]>()
  readonly #line: Guest[] = []

  /** Begins, or waits in line until one of its workflow, or of its key, has ended. */
  enter(guest: Guest): void {
    this.#line.push(guest)
    this.release()
  }

  /** Lets begin who has a place, the first in line first. */
  release(): void {
    for (const guest of [...this.#line]) {
      const { definition, input } = guest
      const of = `${definition.name}/${limitKeyOf(definition, input) ?? ''}`
      const there = (this.#begun.get(of) ?? []).filter(({ isOver }) => !isOver())
      const hasPlace = there.length < (definition.concurrency?.max ?? Number.POSITIVE_INFINITY)
      if (!hasPlace && !guest.isOver()) continue
      this.#line.splice(this.#line.indexOf(guest), 1)
      if (guest.isOver()) continue
      this.#begun.set(of, [...there, guest])
      guest.begin()
    }
  }

  /** Workflows of which a run waits in line. */
  get full(): ReadonlySet<string> {
    return new Set(this.#line.filter(({ isOver }) => !isOver()).map(({ definition }) => definition.name))
  }
}
