import type { WorkflowNode } from '../../../definitions/index.ts'
import { mayHaveChildren } from '../children.ts'
import type { CoreEvent } from '../event.ts'
import { leave } from '../move.ts'
import type { Move } from '../move.ts'
import type { Walk } from '../walk.ts'
import { giveUp } from './finish.ts'

/** An operator leaves a step out: what is below it ends, and the run goes on as if the step were done. */
export function skip(walk: Walk, node: WorkflowNode, { output }: CoreEvent & { type: 'task_skipped' }): Move {
  const name = 'output' in node ? node.output : undefined
  const misfit = output === undefined ? undefined : walk.misfitOf(name, output)
  if (misfit) return giveUp(walk, node, misfit)
  walk.settle(node.id, 'skipped', output === undefined ? {} : { output })
  if (mayHaveChildren(node)) walk.add({ type: 'cancel_children', node: node.id, path: walk.pathOf(node.id) })
  if (name !== undefined && output !== undefined) walk.write(name, output)
  walk.last = output ?? null
  return leave(node, node.kind === 'review' ? 'approved' : 'done')
}
