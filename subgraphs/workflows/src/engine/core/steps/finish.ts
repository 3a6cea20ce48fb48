import type { EdgeTrigger, WorkflowNode } from '../../../definitions/index.ts'
import { fail, leave } from '../move.ts'
import type { Move } from '../move.ts'
import type { StepError } from '../transition.ts'
import type { Walk } from '../walk.ts'

type Finish = {
  /** The step's result: gets the name that the node's `output` says. */
  readonly value: unknown
  readonly on?: EdgeTrigger
  /** True when the value is known to fit the name's schema. */
  readonly checked?: boolean
  /** True when the shell does not have the result, so that it is written to the task. */
  readonly report?: boolean
}

/** The node's task is completed; its result enters the state, if it fits. */
export function finish(walk: Walk, node: WorkflowNode, { value, on, checked, report }: Finish): Move {
  const name = 'output' in node ? node.output : undefined
  const misfit = checked ? undefined : walk.misfitOf(name, value)
  if (misfit) return giveUp(walk, node, misfit)
  walk.settle(node.id, 'completed', report ? { output: value ?? null } : {})
  if (name !== undefined) walk.write(name, value)
  walk.last = value ?? null
  return leave(node, on)
}

/** The node's task has failed for good. */
export function giveUp(walk: Walk, node: WorkflowNode, error: StepError): Move {
  walk.settle(node.id, 'failed', { error })
  return fail(node, error)
}
