import type { NodeId, SchemaProblem, WorkflowDefinition } from '../../definitions/index.ts'
import { programOf } from './program.ts'

const NONE: readonly SchemaProblem[] = []

/** What of a trigger's payload does not fit the workflow's input schema; to be asked before a run starts. */
export function checkInput(
  definition: WorkflowDefinition,
  input: Readonly<Record<string, unknown>>,
): readonly SchemaProblem[] {
  const schema = definition.schemas?.input
  return schema === undefined ? NONE : programOf(definition).check(schema)(input)
}

/**
 * What of a signal's payload does not fit any step that waits for signals of this name; nothing when one takes it, or
 * none waits for such a signal.
 */
export function checkSignal(
  definition: WorkflowDefinition,
  name: string,
  payload: unknown,
): readonly SchemaProblem[] {
  const program = programOf(definition)
  let problems = NONE
  for (const node of Object.values(definition.nodes)) {
    if (node.kind !== 'wait' || node.for.type !== 'signal' || node.for.name !== name) continue
    problems = node.for.schema === undefined ? NONE : program.check(node.for.schema)(payload)
    if (problems.length === 0) return NONE
  }
  return problems
}

/** What of a peer's result does not fit the step that posted the item. */
export function checkBoardResult(
  definition: WorkflowDefinition,
  node: NodeId,
  result: unknown,
): readonly SchemaProblem[] {
  const program = programOf(definition)
  const step = program.node(node)
  if (step.kind !== 'wait' || step.for.type !== 'board' || step.for.schema === undefined) return NONE
  return program.check(step.for.schema)(result)
}

/**
 * Whether the wait `node`, whose task has this input, takes an event of the log (`type`, `subject`, `data`, `time`). A
 * filter that cannot be evaluated takes none.
 */
export function acceptsEvent(
  definition: WorkflowDefinition,
  node: NodeId,
  input: Readonly<Record<string, unknown>>,
  event: Readonly<Record<string, unknown>>,
): boolean {
  const program = programOf(definition)
  const wait = program.node(node)
  if (wait.kind !== 'wait' || wait.for.type !== 'event' || wait.for.event !== event['type']) return false
  if (wait.for.filter === undefined) return true
  const outcome = program.condition(wait.for.filter).evaluate({ ...input, event })
  return outcome.ok && outcome.value
}
