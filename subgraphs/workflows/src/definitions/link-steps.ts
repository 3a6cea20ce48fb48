import { suggestName } from '@tutti/runtime'
import type { Edge, EdgeTrigger, NodeId, WorkflowNode } from './definition.ts'
import { DEEPEST_BODY } from './draft-step.ts'
import type { DraftBody, DraftStep, StepGroups } from './draft-step.ts'
import type { Place, ProblemList } from './problem.ts'
import type { StepReference } from './read-fields.ts'
import { shorten } from './tree.ts'

/** The name every definition can use for "here it is done"; it becomes a node when something refers to it. */
export const IMPLICIT_END = 'end'

/** The id of the node that `end` is in the body of a step (absent: at the top). */
export function implicitEndOf(compound: NodeId | undefined): NodeId {
  return compound === undefined ? IMPLICIT_END : `${IMPLICIT_END}:${compound}`
}

/** An edge with the place it comes from. */
export type PlacedEdge = { readonly edge: Edge; readonly place: Place }

/** The steps of one body (or of the top) with their edges, which never leave it. */
export type LinkedBody = {
  /** The step it is in, and which of its bodies it is; absent at the top. */
  readonly inside?: { readonly step: DraftStep; readonly body: DraftBody }
  readonly steps: ReadonlyMap<NodeId, DraftStep>
  readonly edges: readonly PlacedEdge[]
  /** False when a reference led nowhere, so that what can be reached is not known. */
  readonly complete: boolean
  /** The bodies of its steps, in their order. */
  readonly inner: readonly LinkedBody[]
}

/** All steps with their edges. */
export type LinkedSteps = {
  readonly top: LinkedBody
  readonly nodes: Readonly<Record<NodeId, WorkflowNode>>
  /** The author's order, the steps of a body after the step they are in. */
  readonly order: readonly NodeId[]
  readonly edges: readonly Edge[]
  /** The workflow's fallback step, if it exists. */
  readonly fallback?: NodeId | undefined
}

const TRIGGERS: readonly EdgeTrigger[] = ['done', 'approved', 'rejected', 'expired', 'failed']

/**
 * Looks up every reference and lets each step that says nothing else go on to the one after it; alternatives go on to
 * the step after all of them, never to one another.
 */
export function linkSteps(
  groups: StepGroups,
  fallback: StepReference | undefined,
  problems: ProblemList,
): LinkedSteps {
  const linker = new Linker(problems)
  linker.register(groups)
  const { body: top, fallback: fallbackId } = linker.linkTop(groups, fallback)
  const place = new Map(linker.order.map((id, index) => [id, index]))
  const edges = linker.edges.toSorted(
    (a, b) =>
      (place.get(a.from) ?? 0) - (place.get(b.from) ?? 0) || TRIGGERS.indexOf(a.on) - TRIGGERS.indexOf(b.on),
  )
  return { top, nodes: Object.fromEntries(linker.nodes), order: linker.order, edges, fallback: fallbackId }
}

class Linker {
  readonly nodes = new Map<NodeId, WorkflowNode>()
  readonly order: NodeId[] = []
  readonly edges: Edge[] = []
  readonly #problems: ProblemList
  /** Every step by its name, and the step that it is in. */
  readonly #steps = new Map<NodeId, { step: DraftStep; inside: NodeId | undefined }>()

  constructor(problems: ProblemList) {
    this.#problems = problems
  }

  /** Gives every step its name, those inside of steps included; a name taken already is noted. */
  register(groups: StepGroups, inside?: NodeId, depth = 0): void {
    const first = groups[0]?.[0]
    // A list of steps in steps is refused when it is read; ways that part again and again come to the same.
    if (depth === DEEPEST_BODY + 1 && first)
      this.#problems.add(
        'too_complex',
        first.place,
        'Steps stand in steps too deeply.',
        `At most ${DEEPEST_BODY} levels; use sub-workflows.`,
      )
    for (const step of groups.flat()) {
      const { id } = step.node
      if (this.#isFree(step, inside)) {
        this.#steps.set(id, { step, inside })
        this.order.push(id)
        this.nodes.set(id, inside === undefined ? step.node : { ...step.node, parent: inside })
      }
      for (const { groups: inner } of step.bodies) this.register(inner, id, depth + 1)
    }
  }

  linkTop(
    groups: StepGroups,
    reference: StepReference | undefined,
  ): { body: LinkedBody; fallback: NodeId | undefined } {
    const { steps, edges, ...body } = this.#linkBody(groups)
    let fallback: NodeId | undefined
    if (reference) {
      fallback = this.#resolve(reference, steps, undefined)
      if (fallback !== undefined) addFallbackEdges(steps, edges, fallback, reference.place)
    }
    this.edges.push(...edges.map(({ edge }) => edge))
    return {
      body: { ...body, steps, edges, complete: body.complete && !(reference && fallback === undefined) },
      fallback,
    }
  }

  #link(groups: StepGroups, inside: NonNullable<LinkedBody['inside']>): LinkedBody {
    const body = this.#linkBody(groups, inside)
    this.edges.push(...body.edges.map(({ edge }) => edge))
    return { ...body, inside }
  }

  #linkBody(
    groups: StepGroups,
    inside?: LinkedBody['inside'],
  ): { steps: Map<NodeId, DraftStep>; edges: PlacedEdge[]; complete: boolean; inner: LinkedBody[] } {
    const owner = inside?.step.node.id
    const own = groups.flat().filter((step) => this.#steps.get(step.node.id)?.step === step)
    const steps = new Map(own.map((step) => [step.node.id, step]))
    const edges: PlacedEdge[] = []
    let complete = true
    for (const [index, group] of groups.entries()) {
      const following = groups[index + 1] ?? []
      for (const step of group) {
        const from = step.node.id
        for (const { on, to, when } of step.exits) {
          const target = this.#resolve(to, steps, owner)
          if (target === undefined) complete = false
          else
            edges.push({
              edge: { from, to: target, on, ...(when === undefined ? {} : { when }) },
              place: to.place,
            })
        }
        const [next] = following
        if (!step.fallsThroughOn || !next) continue
        if (following.length > 1) {
          complete = false
          this.#noteAlternatives(step, following)
        } else edges.push({ edge: { from, to: next.node.id, on: step.fallsThroughOn }, place: step.place })
      }
    }
    const inner = own.flatMap((step) => step.bodies.map((body) => this.#link(body.groups, { step, body })))
    return { steps, edges, complete, inner }
  }

  #resolve(
    { name, place }: StepReference,
    steps: ReadonlyMap<NodeId, DraftStep>,
    owner: NodeId | undefined,
  ): NodeId | undefined {
    if (steps.has(name)) return name
    if (name === IMPLICIT_END) {
      const id = implicitEndOf(owner)
      this.nodes.set(id, { id, kind: 'end', ...(owner === undefined ? {} : { parent: owner }) })
      return id
    }
    if (this.#problems.full) return undefined
    const elsewhere = this.#steps.get(name)
    if (elsewhere) {
      const where = elsewhere.inside === undefined ? 'outside of this step' : `inside "${elsewhere.inside}"`
      const hint = 'A way leads to a step beside this one; end ends the branch, the item or the turn.'
      this.#problems.add(
        'unknown_step',
        place,
        `The step "${name}" is ${where}, where no way leads from here.`,
        hint,
      )
      return undefined
    }
    const bare = name.replace(/^\d+[a-z]?_/, '')
    const known = steps.has(bare) ? bare : suggestName(name, steps.keys())
    const hint = known
      ? `Did you mean "${known}"?`
      : `Steps are named without their number; known: ${[...steps.keys()].slice(0, 20).join(', ')}.`
    this.#problems.add('unknown_step', place, `There is no step "${shorten(name)}".`, hint)
    return undefined
  }

  #isFree(step: DraftStep, inside: NodeId | undefined): boolean {
    const { id, kind } = step.node
    const first = this.#steps.get(id)?.step
    if (first) {
      const where = first.place.at ? ` (the other is in line ${first.place.at.line})` : ''
      this.#problems.add(
        'duplicate_step_name',
        step.place,
        `Two steps are named "${id}"${where}.`,
        'References could mean either: rename one.',
      )
      return false
    }
    if (id !== IMPLICIT_END || (kind === 'end' && inside === undefined)) return true
    this.#problems.add(
      'invalid_name',
      step.place,
      `"${IMPLICIT_END}" means that here it is done.`,
      'Give this step another name.',
    )
    return false
  }

  #noteAlternatives(step: DraftStep, following: readonly DraftStep[]): void {
    const names = following.map((other) => other.node.id).join(', ')
    this.#problems.add(
      'ambiguous_next',
      step.place,
      `After "${step.node.id}" come alternatives (${names}), and it does not choose one.`,
      'Let a step of type: conditional choose, with if_true and if_false.',
    )
  }
}

/**
 * The workflow's fallback takes over from every step at the top that names none of its own, save the fallback itself
 * and what comes after it: there it would lead back, and a failure ends the run. Steps inside of a step fail with it.
 */
function addFallbackEdges(
  steps: ReadonlyMap<NodeId, DraftStep>,
  edges: PlacedEdge[],
  fallback: NodeId,
  place: Place,
): void {
  const handled = new Set(edges.filter(({ edge }) => edge.on === 'failed').map(({ edge }) => edge.from))
  const afterFallback = stepsAfter(fallback, edges)
  for (const [id, { node }] of steps) {
    if (node.kind === 'end' || afterFallback.has(id) || handled.has(id)) continue
    edges.push({ edge: { from: id, to: fallback, on: 'failed' }, place })
  }
}

/** The steps that can run at or after a step: those that the workflow's fallback does not take over from, for one. */
export function stepsAfter(start: NodeId, edges: readonly PlacedEdge[]): Set<NodeId> {
  return follow(start, targetsBySource(edges))
}

/** For each node, where its edges lead. */
export function targetsBySource(edges: readonly PlacedEdge[]): Map<NodeId, NodeId[]> {
  const targets = new Map<NodeId, NodeId[]>()
  for (const { edge } of edges) {
    const list = targets.get(edge.from)
    if (list) list.push(edge.to)
    else targets.set(edge.from, [edge.to])
  }
  return targets
}

/** Everything that can be reached over a table of neighbours, the start included. */
export function follow(start: NodeId, neighbours: ReadonlyMap<NodeId, readonly NodeId[]>): Set<NodeId> {
  const reached = new Set([start])
  for (const id of reached) for (const next of neighbours.get(id) ?? []) reached.add(next)
  return reached
}
