import type { SubworkflowNode } from '../../../definitions/index.ts'
import type { CoreEvent } from '../event.ts'
import { REST } from '../move.ts'
import type { Move } from '../move.ts'
import type { StepError } from '../transition.ts'
import type { Walk } from '../walk.ts'
import { finish, giveUp } from './finish.ts'
import { stepError } from '../step-error.ts'

/** Another workflow begins; this strand waits for its end, or only for its beginning. */
export function enterSubworkflow(walk: Walk, node: SubworkflowNode): Move {
  const bound = walk.bind(node.id, node.inputs)
  if (!bound.ok) return walk.refuse(node, stepError('EXPRESSION_FAILED', bound.message))
  const { workflow, version, wait, timeoutMs } = node
  walk.add({
    type: 'create_task',
    kind: 'workflow',
    node: node.id,
    path: walk.pathOf(node.id),
    status: 'waiting',
    input: bound.input,
    attempt: 1,
    workflow,
    wait,
    ...(version === undefined ? {} : { version }),
    ...(wait && timeoutMs !== undefined ? { wakeAfterMs: timeoutMs } : {}),
  })
  return REST
}

/** The child run ended, or did not in time; one that is left alone has begun, or could not. */
export function resumeSubworkflow(walk: Walk, node: SubworkflowNode, event: CoreEvent): Move | undefined {
  if (event.type === 'child_run_ended') {
    if (event.status !== 'completed') return giveUp(walk, node, errorOfChild(event))
    return node.wait ? finish(walk, node, { value: event.output, report: true }) : undefined
  }
  if (event.type === 'wait_over' && !node.wait)
    return finish(walk, node, { value: event.payload ?? null, report: true })
  if (event.type !== 'wait_expired' || !node.wait) return undefined
  const message = `"${node.workflow}" did not end within ${node.timeoutMs ?? 0} ms.`
  const move = giveUp(walk, node, stepError('SUBWORKFLOW_TIMED_OUT', message))
  walk.add({ type: 'cancel_children', node: node.id, path: walk.pathOf(node.id) })
  return move
}

/** Why a child run did not complete. */
export function errorOfChild({ status, error }: CoreEvent & { type: 'child_run_ended' }): StepError {
  // Its node is one of the child's, which says nothing here.
  if (error) return { code: error.code, message: error.message }
  return stepError(status === 'cancelled' ? 'SUBWORKFLOW_CANCELLED' : 'SUBWORKFLOW_FAILED')
}
