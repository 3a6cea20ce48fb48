import type { WorkflowNode } from '../../../definitions/index.ts'
import { mayHaveChildren } from '../children.ts'
import type { CoreEvent } from '../event.ts'
import { fail } from '../move.ts'
import type { Move } from '../move.ts'
import type { Walk } from '../walk.ts'

/** An operator gives a step up: what is below it ends, and it has failed for good; `path` is that of its task. */
export function cancel(
  walk: Walk,
  node: WorkflowNode,
  path: string,
  { error }: CoreEvent & { type: 'task_cancelled' },
): Move {
  walk.add({ type: 'settle_task', node: node.id, path, status: 'cancelled', error })
  if (mayHaveChildren(node)) walk.add({ type: 'cancel_children', node: node.id, path })
  return fail(node, error)
}
