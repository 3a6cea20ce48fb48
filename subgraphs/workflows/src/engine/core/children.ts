import type { WorkflowNode } from '../../definitions/index.ts'

/** Whether branches, items or a child run may be under way below a task of the node. */
export function mayHaveChildren(node: WorkflowNode): boolean {
  if (node.kind === 'task') return node.plan !== undefined
  return node.kind === 'parallel' || node.kind === 'map' || node.kind === 'workflow'
}
