import {
  compileExpression,
  type Edge,
  type Expression,
  type InputBinding,
  type WorkflowNode,
} from '../definitions/index.ts'

/** The names that a step reads when a run comes to it: those of its inputs and expressions. */
export function readsOf(node: WorkflowNode): ReadonlySet<string> {
  switch (node.kind) {
    case 'task':
    case 'review':
    case 'workflow':
      return new Set(node.inputs.flatMap(namesOf))
    case 'message':
      return new Set(variablesOf(node.body))
    case 'map':
      return new Set(variablesOf(node.over))
    case 'loop':
      return new Set(node.while === undefined ? [] : variablesOf(node.while))
    case 'transform':
      return readsOfTransform(node.assign)
    case 'wait':
      if (node.for.type === 'board') return new Set(node.for.inputs.flatMap(namesOf))
      if (node.for.type === 'until') return new Set(variablesOf(node.for.at))
      if (node.for.type !== 'event' || node.for.filter === undefined) return NONE
      return new Set(variablesOf(node.for.filter).filter((name) => name !== 'event'))
    case 'condition':
    case 'parallel':
    case 'end':
      return NONE
  }
}

/** The names that the condition of a way out reads. */
export const readsOfEdge = ({ when }: Edge): readonly string[] =>
  when === undefined ? [] : variablesOf(when)

/** The names that are read when a body is through: by a loop before the next turn, by a map of what an item results in. */
export function readsAfterBody(node: WorkflowNode): readonly string[] {
  if (node.kind === 'loop') return node.until === undefined ? [] : variablesOf(node.until)
  return node.kind === 'map' && node.collect !== undefined ? variablesOf(node.collect) : []
}

/** Whether a step gives a name its value. */
export function makes(node: WorkflowNode | undefined, name: string): boolean {
  if (!node) return false
  if (node.kind === 'transform') return node.assign.some((each) => each.name === name)
  if (node.kind === 'map' && (node.as === name || node.indexAs === name)) return true
  return 'output' in node && node.output === name
}

const NONE: ReadonlySet<string> = new Set()

const namesOf = (binding: InputBinding): readonly string[] =>
  'value' in binding ? variablesOf(binding.value) : binding.path.slice(0, 1)

/** Each sees those before it. */
function readsOfTransform(assign: readonly { name: string; value: Expression }[]): Set<string> {
  const [read, assigned] = [new Set<string>(), new Set<string>()]
  for (const { name, value } of assign) {
    for (const variable of variablesOf(value)) if (!assigned.has(variable)) read.add(variable)
    assigned.add(name)
  }
  return read
}

function variablesOf(text: Expression): readonly string[] {
  const compiled = compileExpression(text)
  return compiled.ok ? compiled.expression.variables : []
}
