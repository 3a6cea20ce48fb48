import type { MapNode, ParallelNode } from '../../../definitions/index.ts'
import type { CoreEvent } from '../event.ts'
import { fail, leave } from '../move.ts'
import type { Child, Move } from '../move.ts'
import type { Arrival, StepError } from '../transition.ts'
import type { Walk } from '../walk.ts'
import { stepError } from '../step-error.ts'

type Arrivals = readonly (Arrival | null)[]

/** Every branch begins. */
export function enterParallel(walk: Walk, node: ParallelNode): Move {
  return spread(
    walk,
    node,
    node.branches.map(({ name }) => ({ key: name, state: {} })),
  )
}

/** An item begins for every value of the list; over an empty one the step is done. */
export function enterMap(walk: Walk, node: MapNode): Move {
  const list = walk.evaluate(node.id, node.over)
  if (!list.ok) return walk.refuse(node, stepError('EXPRESSION_FAILED', `over: ${list.message}`))
  if (!Array.isArray(list.value))
    return walk.refuse(node, stepError('INVALID_LIST', `${node.over} is not a list.`))
  const items: readonly unknown[] = list.value
  if (items.length > node.maxItems)
    return walk.refuse(
      node,
      stepError('INVALID_LIST', `${items.length} items are more than ${node.maxItems}.`),
    )
  return spread(
    walk,
    node,
    items.map((item, index) => ({
      key: String(index),
      state: { [node.as]: item, ...(node.indexAs === undefined ? {} : { [node.indexAs]: index }) },
    })),
  )
}

function spread(walk: Walk, node: ParallelNode | MapNode, children: readonly Child[]): Move {
  const needed = neededOf(node, children.length)
  if (needed > children.length)
    return walk.refuse(node, stepError('JOIN_UNMET', `${needed} of ${children.length} cannot arrive.`))
  if (children.length > 0) return { type: 'spread', node, children, needed }
  const nothing = node.kind === 'map' ? [] : {}
  const misfit = walk.misfitOf(node.output, nothing)
  if (misfit) return walk.refuse(node, misfit)
  if (node.output !== undefined) walk.write(node.output, nothing)
  walk.last = nothing
  return leave(node)
}

/** The branches or items that matter are over: their results become this step's, or the first failure does. */
export function resumeSpread(walk: Walk, node: ParallelNode | MapNode, event: CoreEvent): Move | undefined {
  if (event.type !== 'children_done') return undefined
  const { arrivals } = event
  const isWhole = !arrivals.includes(null)
  const failure = arrivals.find((arrival) => arrival?.ok === false)
  if (isMet(node, arrivals, isWhole)) return meet(walk, node, arrivals, isWhole)
  if (failure?.ok !== false || !(isWhole || node.onFailure === 'fail')) return undefined
  const { node: failed, ...error } = failure.error
  settleAll(walk, node, isWhole, 'failed', { error })
  return fail(node, error, failed)
}

function meet(walk: Walk, node: ParallelNode | MapNode, arrivals: Arrivals, isWhole: boolean): Move {
  const value = resultOf(node, arrivals)
  const misfit = walk.misfitOf(node.output, value)
  if (misfit) {
    settleAll(walk, node, isWhole, 'failed', { error: misfit })
    return fail(node, misfit)
  }
  settleAll(walk, node, isWhole, 'completed', { output: value })
  for (const arrival of arrivals)
    if (arrival?.ok) for (const [name, own] of Object.entries(arrival.state ?? {})) walk.write(name, own)
  if (node.output !== undefined) walk.write(node.output, value)
  walk.last = value
  return leave(node)
}

/** The join's task has its last status, and what is still under way below it ends. */
function settleAll(
  walk: Walk,
  node: ParallelNode | MapNode,
  isWhole: boolean,
  ...settled: [status: 'completed' | 'failed', more: { error?: StepError; output?: unknown }]
): void {
  walk.settle(node.id, ...settled)
  if (!isWhole) walk.add({ type: 'cancel_children', node: node.id, path: walk.pathOf(node.id) })
}

/** How many branches or items must arrive well. */
function neededOf({ join: by }: ParallelNode | MapNode, children: number): number {
  if (by.mode === 'count') return by.count
  return by.mode === 'any' ? 1 : children
}

function isMet(node: ParallelNode | MapNode, arrivals: Arrivals, isWhole: boolean): boolean {
  const good = arrivals.filter((arrival) => arrival?.ok).length
  if (good >= neededOf(node, arrivals.length)) return true
  return isWhole && node.join.mode === 'all' && node.onFailure === 'collect'
}

function resultOf(node: ParallelNode | MapNode, arrivals: Arrivals): unknown {
  if (node.kind === 'map') return arrivals.map((arrival) => arrival && valueOf(arrival))
  const arrived = node.branches.flatMap(({ name }, at) => {
    const arrival = arrivals[at]
    return arrival ? [[name, valueOf(arrival)] as const] : []
  })
  return Object.fromEntries(arrived)
}

function valueOf(arrival: Arrival): unknown {
  return arrival.ok ? arrival.value : { error: arrival.error }
}
