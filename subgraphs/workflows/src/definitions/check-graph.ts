import { follow, targetsBySource } from './link-steps.ts'
import type { LinkedBody, PlacedEdge } from './link-steps.ts'
import type { NodeId } from './definition.ts'
import type { ProblemList } from './problem.ts'

/**
 * Notes every way back (a cycle without a bound never ends) and every step that no path reaches, in the steps of a body
 * and of all bodies in it.
 */
export function checkGraph(body: LinkedBody, entry: NodeId, problems: ProblemList): void {
  for (const { edge, place } of waysBack(body)) {
    problems.add(
      'cycle',
      place,
      `From "${edge.from}" the run would come back to "${edge.to}", which already ran.`,
      'Let it lead to a later step. A repetition is a step of type: loop, with max_turns.',
    )
  }
  if (body.complete) {
    const reached = follow(entry, targetsBySource(body.edges))
    for (const [id, step] of body.steps) {
      if (reached.has(id)) continue
      problems.add(
        'unreachable_step',
        step.place,
        `No path leads to the step "${id}".`,
        'Name it in a condition or as fallback_action, or remove it.',
      )
    }
  }
  for (const inner of body.inner) {
    const [first] = inner.steps.keys()
    if (first !== undefined) checkGraph(inner, first, problems)
  }
}

/** The edges that close a cycle, by a depth-first walk without recursion (a chain may be long). */
function waysBack(body: LinkedBody): PlacedEdge[] {
  const outgoing = Map.groupBy(body.edges, ({ edge }) => edge.from)
  const done = new Set<NodeId>()
  const back: PlacedEdge[] = []
  for (const root of body.steps.keys()) {
    if (done.has(root)) continue
    const onPath = new Set([root])
    const stack = [{ id: root, rest: (outgoing.get(root) ?? []).values() }]
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const { value: placed } = top.rest.next()
      if (!placed) {
        done.add(top.id)
        onPath.delete(top.id)
        stack.pop()
      } else if (onPath.has(placed.edge.to)) back.push(placed)
      else if (!done.has(placed.edge.to)) {
        onPath.add(placed.edge.to)
        stack.push({ id: placed.edge.to, rest: (outgoing.get(placed.edge.to) ?? []).values() })
      }
    }
  }
  return back
}
