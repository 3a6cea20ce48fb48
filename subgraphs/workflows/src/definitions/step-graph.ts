import type { NodeId } from './definition.ts'
import type { DraftStep } from './draft-step.ts'

/** Steps and what leads from one to the other, while some of them are put into others. */
export class StepGraph {
  readonly #steps: Map<NodeId, DraftStep>
  readonly #targets = new Map<NodeId, readonly NodeId[]>()

  constructor(steps: readonly DraftStep[]) {
    this.#steps = new Map(steps.map((step) => [step.node.id, step]))
  }

  /** The steps in the author's order. */
  steps(): DraftStep[] {
    return [...this.#steps.values()]
  }

  has(id: NodeId): boolean {
    return this.#steps.has(id)
  }

  get(id: NodeId): DraftStep | undefined {
    return this.#steps.get(id)
  }

  /** Puts another step in the place of the one of the same name. */
  replace(step: DraftStep): void {
    this.#steps.set(step.node.id, step)
    this.#targets.delete(step.node.id)
  }

  /** Takes steps out; what led to them leads nowhere. */
  remove(ids: Iterable<NodeId>): void {
    for (const id of ids) this.#steps.delete(id)
    this.#targets.clear()
  }

  /** Puts a new step after another; absent: after all. */
  insert(step: DraftStep, after?: NodeId): void {
    const entries = [...this.#steps]
    const at = after === undefined ? entries.length : entries.findIndex(([id]) => id === after) + 1
    this.#steps.clear()
    for (const [id, value] of entries.toSpliced(at, 0, [step.node.id, step])) this.#steps.set(id, value)
    this.#targets.clear()
  }

  /** Each step after all that come after it; undefined when there is a cycle. */
  fromTheEnd(): NodeId[] | undefined {
    const order: NodeId[] = []
    const waits = new Map([...this.#steps.keys()].map((id) => [id, this.targets(id).length]))
    const sources = new Map<NodeId, NodeId[]>([...this.#steps.keys()].map((id) => [id, []]))
    for (const id of this.#steps.keys()) for (const target of this.targets(id)) sources.get(target)?.push(id)
    const free = [...waits].filter(([, count]) => count === 0).map(([id]) => id)
    for (const id of free) {
      order.push(id)
      for (const source of sources.get(id) ?? []) {
        const count = (waits.get(source) ?? 0) - 1
        waits.set(source, count)
        if (count === 0) free.push(source)
      }
    }
    return order.length === this.#steps.size ? order : undefined
  }

  /** Where a step leads, each step once. */
  targets(id: NodeId): readonly NodeId[] {
    const known = this.#targets.get(id)
    if (known) return known
    const exits = this.#steps.get(id)?.exits ?? []
    const targets = [...new Set(exits.map(({ to }) => to.name))].filter((name) => this.#steps.has(name))
    this.#targets.set(id, targets)
    return targets
  }

  /** The steps that can run at or after a step, up to one that is left out with what only comes after it. */
  reach(from: NodeId, without?: NodeId): Set<NodeId> {
    const reached = new Set(from === without ? [] : [from])
    for (const id of reached) for (const next of this.targets(id)) if (next !== without) reached.add(next)
    return reached
  }
}
