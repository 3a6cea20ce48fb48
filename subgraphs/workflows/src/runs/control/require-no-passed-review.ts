import { isDeepStrictEqual } from 'node:util'
import { type Actor, fail, isRecord } from '@tutti/schema'
import type pg from 'pg'
import type { NodeId, WorkflowDefinition, WorkflowNode } from '../../definitions/index.ts'
import { makes, readsOf } from '../../migrations/reads-of.ts'
import { holdsReview } from './holds-review.ts'
import { mainLineNode } from './main-line-node.ts'
import type { PastTask } from './replay-run.ts'

/** Where a run is to go on, by which version, from what past of which other, and the names that are then others. */
export interface Passing {
  from: WorkflowDefinition
  to: WorkflowDefinition
  /** The step that it begins with, of the main line. */
  step: NodeId
  /** The tasks of the main line before it, in their order. */
  tasks: readonly Pick<PastTask, 'nodeId' | 'stepPath' | 'status' | 'output'>[]
  changed: ReadonlySet<string>
}

/** A review that would be passed. */
export interface PassedReview {
  node: NodeId
  /** The path of the step from which it is asked anew; null: of none that the run has come to. */
  stepPath: string | null
}

/**
 * INVALID_STATE, with the path to fork from, where a fork would begin behind a review that was about something else: names
 * that are changed, or where that cannot be told, anything; also behind one that its version asks and the other did not.
 */
export async function requireNoPassedReview(
  client: pg.PoolClient,
  actor: Actor,
  passing: Passing,
): Promise<void> {
  if (passing.changed.size === 0 && passing.from === passing.to) return
  const asking = new Set<WorkflowNode>()
  for (const node of [passing.from, passing.to].flatMap(({ nodes }) => Object.values(nodes)))
    if (await holdsReview(client, actor, [node])) asking.add(node)
  const passed = passedReview(passing, (node) => asking.has(node))
  if (passed)
    fail('INVALID_STATE', {
      path: 'input.stepPath',
      message: `What people decide at "${passed.node}" is about what is other now.`,
      hint: passed.stepPath === null ? 'Start a new run with it.' : `Fork from ${passed.stepPath}.`,
    })
}

/** The first one, if any: `asks` says whether a step is a review, or a sub-workflow that holds one. */
export function passedReview(
  { from, to, step, tasks, changed }: Passing,
  asks: (node: WorkflowNode) => boolean,
): PassedReview | undefined {
  /** The last step that the run came to before it, so that the run comes to it as well. */
  const beforeIt = (node: NodeId): string | null =>
    tasks.findLast(({ nodeId }) => nodeId === mainLineNode(to, node) || precedes(to, nodeId, node))
      ?.stepPath ?? null
  const answered = (node: WorkflowNode): string | undefined => {
    const main = mainLineNode(from, node.id)
    return tasks.find(
      (task) => task.nodeId === main && (node.kind !== 'review' || main !== node.id || isYes(task)),
    )?.stepPath
  }
  const passed = [
    ...Object.values(from.nodes).flatMap((node): PassedReview[] => {
      if (!asks(node) || !isAbout(from, node, changed)) return []
      const stepPath = answered(node)
      if (stepPath !== undefined) return [{ node: node.id, stepPath }]
      const isLeftOut = !tasks.some(({ nodeId }) => nodeId === mainLineNode(from, node.id))
      return isLeftOut && Object.hasOwn(to.nodes, node.id) && precedes(to, node.id, step)
        ? [{ node: node.id, stepPath: beforeIt(node.id) }]
        : []
    }),
    ...Object.values(to.nodes).flatMap((node): PassedReview[] =>
      asks(node) && !isDeepStrictEqual(node, from.nodes[node.id]) && precedes(to, node.id, step)
        ? [{ node: node.id, stepPath: beforeIt(node.id) }]
        : [],
    ),
  ]
  const placeOf = ({ stepPath }: PassedReview) => tasks.findIndex((task) => task.stepPath === stepPath)
  return passed.toSorted((a, b) => placeOf(a) - placeOf(b))[0]
}

/** Whether a review let the run go on; one that was left out by hand did as well. */
const isYes = ({ status, output }: Pick<PastTask, 'status' | 'output'>): boolean =>
  status === 'skipped' || (isRecord(output) && output['outcome'] === 'approve')

/** Whether what a step asks about may be other when these names are: unless all of it is the payload's, and none is among them. */
function isAbout(
  { nodes, inputs }: WorkflowDefinition,
  node: WorkflowNode,
  changed: ReadonlySet<string>,
): boolean {
  if (changed.size === 0) return false
  const reads = [...readsOf(node)]
  const isGiven = (name: string) =>
    inputs.includes(name) && !Object.values(nodes).some((other) => makes(other, name))
  return reads.length === 0 || reads.some((name) => changed.has(name) || !isGiven(name))
}

/** Whether a way leads from a step, or what it stands in, to the other; from a review the one that a yes takes. */
function precedes({ nodes, edges }: WorkflowDefinition, first: NodeId, second: NodeId): boolean {
  const around = (id: NodeId): NodeId[] => {
    const parent = nodes[id]?.parent
    return parent === undefined ? [id] : [id, ...around(parent)]
  }
  const ends = around(second)
  for (const start of around(first)) {
    const end = ends.find((id) => nodes[id]?.parent === nodes[start]?.parent)
    if (end === undefined) continue
    if (start === end) return false
    const seen = new Set<NodeId>()
    const toSee = [start]
    for (let at = toSee.pop(); at !== undefined; at = toSee.pop())
      for (const edge of edges) {
        const isWay =
          edge.from === at && (at !== first || nodes[at]?.kind !== 'review' || edge.on === 'approved')
        if (!isWay || seen.has(edge.to)) continue
        seen.add(edge.to)
        toSee.push(edge.to)
      }
    return seen.has(end)
  }
  return false
}
