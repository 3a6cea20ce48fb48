import { isRecord } from '@tutti/schema'
import type { MapNode, ParallelNode, WorkflowNode } from '../definitions/index.ts'
import type { Arrival, CoreEvent } from '../engine/core/index.ts'
import type { PastTask } from './run-past.ts'

/** A step that ended, as far as the core was told it. */
export type EndedTask = Pick<PastTask, 'id' | 'stepPath' | 'nodeId' | 'attempt' | 'output' | 'error'>
/** The last task of a branch or an item. */
export type Arrived = Pick<PastTask, 'parentId' | 'position' | 'arrival' | 'output'>

/**
 * What ended a step of the main line, as the core was told it then; nothing for steps without a task. `status` is that of
 * its end, `last` are the last tasks of its branches or items.
 */
export function endOfTask(
  node: WorkflowNode,
  task: EndedTask,
  status: string,
  last: readonly Arrived[],
): CoreEvent | undefined {
  const { id } = node
  const { output, attempt, error } = task
  if (status === 'skipped') return { type: 'task_skipped', node: id, ...(output === null ? {} : { output }) }
  if (status !== 'completed') {
    if (error?.code === 'REVIEW_EXPIRED') return { type: 'review_expired', node: id }
    if (error?.code === 'WAIT_EXPIRED') return { type: 'wait_expired', node: id }
    // However else it failed: from here on it is the same.
    return { type: 'task_cancelled', node: id, error: error ?? UNKNOWN }
  }
  switch (node.kind) {
    case 'task':
    case 'message':
      return { type: 'task_succeeded', node: id, attempt, output }
    case 'review':
      return decisionOf(id, output)
    case 'wait':
      return { type: 'wait_over', node: id, payload: output }
    case 'workflow':
      return node.wait
        ? { type: 'child_run_ended', node: id, status: 'completed', output: isRecord(output) ? output : {} }
        : { type: 'wait_over', node: id, payload: output }
    case 'parallel':
    case 'map':
      return { type: 'children_done', node: id, arrivals: arrivalsOf(node, output, last) }
    case 'loop':
      return { type: 'wait_over', node: id }
    case 'condition':
    case 'transform':
    case 'end':
      return undefined
  }
}

const UNKNOWN = { code: 'UNKNOWN', message: 'The step failed.' }

function decisionOf(node: string, output: unknown): CoreEvent {
  const { outcome, by, comment, ...approved } = isRecord(output) ? output : {}
  return {
    type: 'review_decided',
    node,
    outcome: outcome === 'reject' ? 'reject' : 'approve',
    ...(typeof by === 'string' ? { by } : {}),
    ...(typeof comment === 'string' ? { comment } : {}),
    ...('arguments' in approved ? { arguments: approved['arguments'] } : {}),
  }
}

/**
 * How the branches or items had arrived when the join was met, by their places: its result says which of them counted.
 * The value that was the last task's output is not kept twice.
 */
function arrivalsOf(
  node: ParallelNode | MapNode,
  result: unknown,
  last: readonly Arrived[],
): (Arrival | null)[] {
  const size = node.kind === 'parallel' ? node.branches.length : Array.isArray(result) ? result.length : 0
  const arrivals: (Arrival | null)[] = Array.from({ length: size }, () => null)
  for (const { position, arrival, output } of last) {
    if (position === null || arrival === null) continue
    const name = node.kind === 'parallel' ? node.branches[position]?.name : undefined
    if (name !== undefined && !(isRecord(result) && Object.hasOwn(result, name))) continue
    // An item that came too late to be waited for left nothing in the list.
    const isNothing = Array.isArray(result) && result[position] === null
    if (isNothing) arrivals[position] = { ok: true, value: null }
    else arrivals[position] = 'value' in arrival || !arrival.ok ? arrival : withValue(arrival, output)
  }
  return arrivals
}

const withValue = (arrival: Arrival & { ok: true }, value: unknown): Arrival => ({ ...arrival, value })
