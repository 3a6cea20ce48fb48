import { suggestName } from '@tutti/runtime'
import type { Edge, EdgeTrigger, NodeId, WorkflowNode } from './definition.ts'
import type { Place, ProblemList } from './problem.ts'
import type { StepReference } from './read-fields.ts'
import type { StepGroups } from './read-numbered-steps.ts'
import type { DraftStep } from './read-step.ts'
import { shorten } from './tree.ts'

/** The name every definition can use for "here the run is done"; it becomes a node when something refers to it. */
export const IMPLICIT_END = 'end'

/** An edge with the place it comes from. */
export type PlacedEdge = { readonly edge: Edge; readonly place: Place }

/** Steps with their edges. */
export type LinkedSteps = {
  readonly steps: ReadonlyMap<NodeId, DraftStep>
  readonly nodes: Record<NodeId, WorkflowNode>
  readonly edges: PlacedEdge[]
  /** The workflow's fallback step, if it exists. */
  readonly fallback?: NodeId | undefined
  /** False when a reference led nowhere, so that what can be reached is not known. */
  readonly complete: boolean
}

/**
 * Looks up every reference and lets each step that says nothing else go on to the one after it; alternatives go on to
 * the step after all of them, never to one another.
 */
export function linkSteps(
  groups: StepGroups,
  fallback: StepReference | undefined,
  problems: ProblemList,
): LinkedSteps {
  const steps = namesOf(groups, problems)
  const nodes: Record<NodeId, WorkflowNode> = Object.fromEntries(
    [...steps].map(([id, step]) => [id, step.node]),
  )
  const edges: PlacedEdge[] = []
  let complete = true

  const resolve = (reference: StepReference): NodeId | undefined => {
    if (steps.has(reference.name)) return reference.name
    if (reference.name === IMPLICIT_END) {
      nodes[IMPLICIT_END] = { id: IMPLICIT_END, kind: 'end' }
      return IMPLICIT_END
    }
    complete = false
    const bare = reference.name.replace(/^\d+[a-z]?_/, '')
    const known = steps.has(bare) ? bare : suggestName(reference.name, steps.keys())
    const hint = known
      ? `Did you mean "${known}"?`
      : `Steps are named without their number; known: ${[...steps.keys()].slice(0, 20).join(', ')}.`
    problems.add('unknown_step', reference.place, `There is no step "${shorten(reference.name)}".`, hint)
    return undefined
  }
  const connect = (from: NodeId, on: EdgeTrigger, to: NodeId, place: Place, when?: string) => {
    edges.push({ edge: { from, to, on, ...(when === undefined ? {} : { when }) }, place })
  }

  for (const [index, group] of groups.entries()) {
    const following = groups[index + 1] ?? []
    for (const step of group) {
      for (const exit of step.exits) {
        const to = resolve(exit.to)
        if (to !== undefined) connect(step.node.id, exit.on, to, exit.to.place, exit.when)
      }
      const [next] = following
      if (!step.fallsThroughOn || !next) continue
      if (following.length > 1) {
        const names = following.map((other) => other.node.id).join(', ')
        problems.add(
          'ambiguous_next',
          step.place,
          `After "${step.node.id}" come alternatives (${names}), and it does not choose one.`,
          'Let a step of type: conditional choose, with if_true and if_false.',
        )
        complete = false
        continue
      }
      connect(step.node.id, step.fallsThroughOn, next.node.id, step.place)
    }
  }
  const fallbackId = fallback && resolve(fallback)
  if (fallbackId !== undefined) addFallbackEdges(nodes, edges, fallbackId, fallback?.place ?? { path: [] })
  return { steps, nodes, edges, fallback: fallbackId, complete }
}

function namesOf(groups: StepGroups, problems: ProblemList): Map<NodeId, DraftStep> {
  const steps = new Map<NodeId, DraftStep>()
  for (const step of groups.flat()) {
    const { id, kind } = step.node
    const first = steps.get(id)
    if (first) {
      const where = first.place.at ? ` (the other is in line ${first.place.at.line})` : ''
      problems.add(
        'duplicate_step_name',
        step.place,
        `Two steps are named "${id}"${where}.`,
        'References could mean either: rename one.',
      )
    } else if (id === IMPLICIT_END && kind !== 'end') {
      problems.add(
        'invalid_name',
        step.place,
        `"${IMPLICIT_END}" means the end of the run.`,
        'Give this step another name.',
      )
    } else steps.set(id, step)
  }
  return steps
}

/**
 * The workflow's fallback takes over from every step that names none of its own, save the fallback itself and what
 * comes after it: there it would lead back, and a failure ends the run.
 */
function addFallbackEdges(
  nodes: Readonly<Record<NodeId, WorkflowNode>>,
  edges: PlacedEdge[],
  fallback: NodeId,
  place: Place,
): void {
  const afterFallback = reachableFrom(fallback, edges)
  const handled = new Set(edges.filter(({ edge }) => edge.on === 'failed').map(({ edge }) => edge.from))
  for (const [id, node] of Object.entries(nodes)) {
    if (node.kind === 'end' || afterFallback.has(id) || handled.has(id)) continue
    edges.push({ edge: { from: id, to: fallback, on: 'failed' }, place })
  }
}

/** The nodes that can run at or after a node. */
export function reachableFrom(start: NodeId, edges: readonly PlacedEdge[]): Set<NodeId> {
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
