import type { NodeId } from './definition.ts'
import { draftStep } from './draft-step.ts'
import type { DraftBody, DraftExit, DraftStep } from './draft-step.ts'
import { follow, IMPLICIT_END } from './link-steps.ts'
import type { Place, ProblemList } from './problem.ts'
import type { StepReference } from './read-fields.ts'

type FanOut = { readonly on: DraftExit['on']; readonly targets: readonly StepReference[] }
type Branch = { readonly entry: NodeId; readonly steps: ReadonlySet<NodeId> }

const LONGEST_NAME = 64
const START = 'start'

/**
 * Turns ways that part without a condition into a parallel step: its branches are what lies between the parting and the
 * first step that all of them come to, and it leads there. What cannot be cut out so is noted. The result begins with
 * the entry (`entries` are several when the graph begins with a parting), else the author's order stays.
 */
export function joinFanOuts(
  steps: readonly DraftStep[],
  entries: readonly StepReference[],
  problems: ProblemList,
): readonly DraftStep[] {
  const graph = new Graph(steps, problems)
  const order = graph.fromTheEnd()
  // In a cycle nothing comes first; the cycle itself is noted when the steps are linked.
  if (!order) return entryFirst(steps, entries[0]?.name)
  for (const id of order) graph.joinAfter(id)
  const entry = entries.length > 1 ? graph.joinAtStart(entries) : entries[0]?.name
  return entryFirst(graph.steps(), entry)
}

function entryFirst(steps: readonly DraftStep[], entry: NodeId | undefined): readonly DraftStep[] {
  const first = steps.filter(({ node }) => node.id === entry)
  return [...first, ...steps.filter((step) => !first.includes(step))]
}

class Graph {
  readonly #steps: Map<NodeId, DraftStep>
  readonly #problems: ProblemList

  constructor(steps: readonly DraftStep[], problems: ProblemList) {
    this.#steps = new Map(steps.map((step) => [step.node.id, step]))
    this.#problems = problems
  }

  steps(): DraftStep[] {
    return [...this.#steps.values()]
  }

  /** Each step after all that come after it; undefined when there is a cycle. */
  fromTheEnd(): NodeId[] | undefined {
    const order: NodeId[] = []
    const waits = new Map([...this.#steps.keys()].map((id) => [id, this.#targets(id).size]))
    const sources = new Map<NodeId, NodeId[]>([...this.#steps.keys()].map((id) => [id, []]))
    for (const id of this.#steps.keys()) for (const target of this.#targets(id)) sources.get(target)?.push(id)
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

  joinAfter(id: NodeId): void {
    const step = this.#steps.get(id)
    for (const fanOut of step ? fanOutsOf(step) : []) {
      const parallel = this.#join(id, fanOut)
      if (!parallel) continue
      const current = this.#steps.get(id)
      if (!current) return
      const { exits } = current
      const place = fanOut.targets[0]?.place ?? current.place
      const kept = exits.filter(({ on, when }) => on !== fanOut.on || when !== undefined)
      this.#steps.set(id, {
        ...current,
        exits: [...kept, { on: fanOut.on, to: { name: parallel.node.id, place } }],
      })
      this.#insertAfter(id, parallel)
    }
  }

  joinAtStart(entries: readonly StepReference[]): NodeId | undefined {
    const parallel = this.#join(START, { on: 'done', targets: entries })
    if (!parallel) return undefined
    this.#steps.set(parallel.node.id, parallel)
    return parallel.node.id
  }

  #join(from: NodeId, { on, targets }: FanOut): DraftStep | undefined {
    const place = targets[0]?.place
    const unique = new Set(targets.map(({ name }) => name))
    if (!place || [...unique].some((name) => !this.#steps.has(name))) {
      this.#noteEnd(from, targets)
      return undefined
    }
    if (unique.size < targets.length) {
      this.#note(place, `"${from}" leads to the same step twice.`, 'Remove one of the edges.')
      return undefined
    }
    const reach = [...unique].map((name) => this.#reach(name))
    const order = this.fromTheEnd() ?? []
    // The first step that all of them can come to: of all those, the one furthest from the end.
    const meeting = order.findLast((id) => reach.every((steps) => steps.has(id)))
    const branches = [...unique].map((entry) => ({ entry, steps: this.#reach(entry, meeting) }))
    const why = this.#whyNot(from, on, branches, meeting)
    if (why !== undefined) {
      this.#note(
        place,
        why,
        'Let all of them lead to one step, or write a step of type: parallel with its branches.',
      )
      return undefined
    }
    return this.#parallel(from, branches, meeting, place)
  }

  /** What keeps the branches from being cut out: they share a step, are entered from outside, or end too early. */
  #whyNot(
    from: NodeId,
    on: FanOut['on'],
    branches: readonly Branch[],
    meeting: NodeId | undefined,
  ): string | undefined {
    const names = branches.map(({ entry }) => `"${entry}"`).join(' and ')
    const parted = `From "${from}" the ways to ${names} part to run side by side`
    if (branches.some(({ entry }) => entry === meeting))
      return `${parted}, but one of them leads to "${meeting}" at once, where the others come later.`
    const owner = new Map<NodeId, NodeId>()
    for (const { entry, steps } of branches)
      for (const id of steps) {
        if (owner.has(id)) return `${parted}, but "${id}" belongs to more than one of them.`
        owner.set(id, entry)
      }
    for (const [id, { exits }] of this.#steps) {
      const entered = exits.find((exit) => {
        const isParting = id === from && exit.on === on && exit.when === undefined
        return !isParting && owner.has(exit.to.name) && owner.get(exit.to.name) !== owner.get(id)
      })
      if (entered) return `${parted}, but "${id}" leads into one of them ("${entered.to.name}").`
    }
    const early = meeting !== undefined && [...owner.keys()].find((id) => this.#endsAt(id))
    return early
      ? `${parted} and meet at "${meeting}", but at "${early}" one of them may end the run.`
      : undefined
  }

  /** Whether the run may end at a step: it leads to an end, or not always on. */
  #endsAt(id: NodeId): boolean {
    const step = this.#steps.get(id)
    if (!step) return false
    const usual = step.node.kind === 'review' ? (['approved', 'rejected'] as const) : (['done'] as const)
    return (
      step.node.kind === 'end' ||
      step.exits.some(({ to }) => to.name === IMPLICIT_END) ||
      usual.some((on) => !step.exits.some((exit) => exit.on === on && exit.when === undefined))
    )
  }

  #parallel(from: NodeId, branches: readonly Branch[], meeting: NodeId | undefined, place: Place): DraftStep {
    const id = this.#freeName(from)
    const all = [...this.#steps.keys()]
    const bodies = branches.map(({ entry, steps }): DraftBody => {
      const inOrder = [entry, ...all.filter((step) => step !== entry && steps.has(step))]
      return {
        name: entry,
        place,
        groups: inOrder.flatMap((step) => {
          const draft = this.#steps.get(step)
          return draft ? [[withEnd(draft, meeting)]] : []
        }),
        locals: [],
        closing: [],
        names: 'joined',
      }
    })
    for (const { steps } of branches) for (const step of steps) this.#steps.delete(step)
    const node = {
      id,
      kind: 'parallel',
      branches: branches.map(({ entry }) => ({ name: entry, entry })),
      join: { mode: 'all' },
      onFailure: 'fail',
    } as const
    return draftStep(node, place, {
      exits: meeting === undefined ? [] : [{ on: 'done', to: { name: meeting, place } }],
      bodies,
    })
  }

  #freeName(from: NodeId): NodeId {
    for (let number = 1; ; number += 1) {
      const ending = number === 1 ? '_branches' : `_branches_${number}`
      const name = from.slice(0, LONGEST_NAME - ending.length) + ending
      if (!this.#steps.has(name)) return name
    }
  }

  #insertAfter(id: NodeId, step: DraftStep): void {
    const entries = [...this.#steps]
    this.#steps.clear()
    for (const [key, value] of entries) {
      this.#steps.set(key, value)
      if (key === id) this.#steps.set(step.node.id, step)
    }
  }

  #reach(from: NodeId, without?: NodeId): Set<NodeId> {
    const neighbours = new Map(
      [...this.#steps.keys()].map((id) => [
        id,
        [...this.#targets(id)].filter((target) => target !== without),
      ]),
    )
    return follow(from, neighbours)
  }

  #targets(id: NodeId): Set<NodeId> {
    const exits = this.#steps.get(id)?.exits ?? []
    return new Set(exits.map(({ to }) => to.name).filter((name) => this.#steps.has(name)))
  }

  #noteEnd(from: NodeId, targets: readonly StepReference[]): void {
    const end = targets.find(({ name }) => name === IMPLICIT_END)
    // Other names that lead nowhere are noted when the steps are linked.
    if (end)
      this.#note(
        end.place,
        `"${from}" leads to the end and elsewhere at once.`,
        'Give one of the ways a condition, or remove it.',
      )
  }

  #note(place: Place, message: string, hint: string): void {
    this.#problems.add('crossing_branches', place, message, hint)
  }
}

function fanOutsOf(step: DraftStep): FanOut[] {
  const groups = Map.groupBy(
    step.exits.filter(({ when }) => when === undefined),
    ({ on }) => on,
  )
  return [...groups]
    .filter(([, exits]) => exits.length > 1)
    .map(([on, exits]) => ({ on, targets: exits.map(({ to }) => to) }))
}

/** A step of a branch: a way to where the branches meet ends the branch. */
function withEnd(step: DraftStep, meeting: NodeId | undefined): DraftStep {
  if (meeting === undefined) return step
  const exits = step.exits.flatMap((exit): DraftExit[] => {
    if (exit.to.name !== meeting) return [exit]
    // Where nothing follows, the branch is done all the same; only a failure needs to be told so.
    const isPlain = exit.when === undefined && exit.on !== 'failed' && exit.on !== 'expired'
    return isPlain ? [] : [{ ...exit, to: { ...exit.to, name: IMPLICIT_END } }]
  })
  return { ...step, exits }
}
