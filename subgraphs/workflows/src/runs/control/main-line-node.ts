import type { NodeId, WorkflowDefinition } from '../../definitions/index.ts'

/** The step of the main line that a step is, or is inside of: the outermost parallel or map around it. */
export function mainLineNode(definition: WorkflowDefinition, id: NodeId): NodeId {
  let top = id
  for (let at = definition.nodes[id]?.parent; at !== undefined; at = definition.nodes[at]?.parent) {
    const kind = definition.nodes[at]?.kind
    if (kind === 'parallel' || kind === 'map') top = at
  }
  return top
}
