import type { NodeId } from './definition.ts'
import { draftStep } from './draft-step.ts'
import type { DraftBody, DraftExit, DraftStep } from './draft-step.ts'
import { IMPLICIT_END } from './link-steps.ts'
import type { Place, ProblemList } from './problem.ts'
import type { StepReference } from './read-fields.ts'
import { StepGraph } from './step-graph.ts'

type FanOut = { readonly on: DraftExit['on']; readonly targets: readonly StepReference[] }
type Branch = { readonly entry: NodeId; readonly steps: ReadonlySet<NodeId> }

const LONGEST_NAME = 64
const START = 'start'
const MOST_PROBLEMS = 10

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
  const graph = new StepGraph(steps)
  const order = graph.fromTheEnd()
  // In a cycle nothing comes first; the cycle itself is noted when the steps are linked.
  if (!order) return entryFirst(steps, entries[0]?.name)
  const joiner = new Joiner(graph, order, problems)
  for (const id of order) joiner.joinAfter(id)
  const entry = entries.length > 1 ? joiner.joinAtStart(entries) : entries[0]?.name
  return entryFirst(graph.steps(), entry)
}

function entryFirst(steps: readonly DraftStep[], entry: NodeId | undefined): readonly DraftStep[] {
  const first = steps.find(({ node }) => node.id === entry)
  return first ? [first, ...steps.filter((step) => step !== first)] : steps
}

class Joiner {
  readonly #graph: StepGraph
  /** The steps as they were before any were joined, from the end. */
  readonly #order: readonly NodeId[]
  readonly #problems: ProblemList
  #noted = 0

  constructor(graph: StepGraph, order: readonly NodeId[], problems: ProblemList) {
    this.#graph = graph
    this.#order = order
    this.#problems = problems
  }

  joinAfter(id: NodeId): void {
    for (const fanOut of fanOutsOf(this.#graph.get(id))) {
      const parallel = this.#join(id, fanOut)
      const step = this.#graph.get(id)
      if (!parallel || !step) continue
      const place = fanOut.targets[0]?.place ?? step.place
      const kept = step.exits.filter(({ on, when }) => on !== fanOut.on || when !== undefined)
      const to = { name: parallel.node.id, place }
      this.#graph.replace({ ...step, exits: [...kept, { on: fanOut.on, to }] })
      this.#graph.insert(parallel, id)
    }
  }

  joinAtStart(entries: readonly StepReference[]): NodeId | undefined {
    const parallel = this.#join(START, { on: 'done', targets: entries })
    if (parallel) this.#graph.insert(parallel)
    return parallel?.node.id
  }

  #join(from: NodeId, { on, targets }: FanOut): DraftStep | undefined {
    if (this.#noted >= MOST_PROBLEMS) return undefined
    const place = targets[0]?.place
    const names = [...new Set(targets.map(({ name }) => name))]
    if (!place || names.some((name) => !this.#graph.has(name))) {
      this.#noteEnd(from, targets)
      return undefined
    }
    if (names.length < targets.length) {
      this.#note(place, `"${from}" leads to the same step twice.`, 'Remove one of the edges.')
      return undefined
    }
    const reach = names.map((name) => this.#graph.reach(name))
    // The first step that all of them can come to: of all those, the one furthest from the end.
    const meeting = this.#order.findLast((id) => reach.every((steps) => steps.has(id)))
    const branches = names.map((entry) => ({ entry, steps: this.#graph.reach(entry, meeting) }))
    const why = this.#whyNot(from, on, branches, meeting)
    if (why === undefined) return this.#parallel(from, branches, meeting, place)
    const ways = names.map((name) => `"${name}"`).join(' and ')
    this.#note(
      place,
      `From "${from}" the ways to ${ways} part to run side by side, but ${why}.`,
      'Let all of them lead to one step, or write a step of type: parallel with its branches.',
    )
    return undefined
  }

  /** What keeps the branches from being cut out: they share a step, are entered from outside, or end too early. */
  #whyNot(
    from: NodeId,
    on: FanOut['on'],
    branches: readonly Branch[],
    meeting: NodeId | undefined,
  ): string | undefined {
    if (branches.some(({ entry }) => entry === meeting))
      return `one of them leads to "${meeting}" at once, where the others come later`
    const owner = new Map<NodeId, NodeId>()
    for (const { entry, steps } of branches)
      for (const id of steps) {
        if (owner.has(id)) return `"${id}" belongs to more than one of them`
        owner.set(id, entry)
      }
    for (const { node, exits } of this.#graph.steps()) {
      const entered = exits.find((exit) => {
        const isParting = node.id === from && exit.on === on && exit.when === undefined
        return !isParting && owner.has(exit.to.name) && owner.get(exit.to.name) !== owner.get(node.id)
      })
      if (entered) return `"${node.id}" leads into one of them ("${entered.to.name}")`
    }
    const early = meeting !== undefined && [...owner.keys()].find((id) => endsAt(this.#graph.get(id)))
    return early ? `they meet at "${meeting}", and at "${early}" one of them may end the run` : undefined
  }

  #parallel(from: NodeId, branches: readonly Branch[], meeting: NodeId | undefined, place: Place): DraftStep {
    const all = this.#graph.steps()
    const bodies = branches.map(({ entry, steps }): DraftBody => {
      const own = all.filter(({ node }) => steps.has(node.id))
      const groups = entryFirst(own, entry).map((step) => [withEnd(step, meeting)])
      return { name: entry, place, groups, locals: [], closing: [], names: 'joined' }
    })
    const id = this.#freeName(from)
    this.#graph.remove(branches.flatMap(({ steps }) => [...steps]))
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
      if (!this.#graph.has(name)) return name
    }
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
    this.#noted += 1
    this.#problems.add('crossing_branches', place, message, hint)
  }
}

function fanOutsOf(step: DraftStep | undefined): FanOut[] {
  const plain = step?.exits.filter(({ when }) => when === undefined) ?? []
  return [...Map.groupBy(plain, ({ on }) => on)]
    .filter(([, exits]) => exits.length > 1)
    .map(([on, exits]) => ({ on, targets: exits.map(({ to }) => to) }))
}

/** Whether the run may end at a step: it leads to an end, or not always on. */
function endsAt(step: DraftStep | undefined): boolean {
  if (!step) return false
  const usual = step.node.kind === 'review' ? (['approved', 'rejected'] as const) : (['done'] as const)
  return (
    step.node.kind === 'end' ||
    step.exits.some(({ to }) => to.name === IMPLICIT_END) ||
    usual.some((on) => !step.exits.some((exit) => exit.on === on && exit.when === undefined))
  )
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
