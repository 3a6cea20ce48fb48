import type { Assignee, TaskNode } from '../../../definitions/index.ts'
import type { CoreEvent } from '../event.ts'
import { REST } from '../move.ts'
import type { Move } from '../move.ts'
import type { Walk } from '../walk.ts'
import { endAttempt, isAttempt, isSpent } from './attempt.ts'
import { finish, giveUp } from './finish.ts'
import { errorOfChild } from './subworkflow.ts'
import { stepError } from '../step-error.ts'

/** Work for an agent. */
export function enterTask(walk: Walk, node: TaskNode): Move {
  const bound = walk.bind(node.id, node.inputs)
  if (!bound.ok) return walk.refuse(node, stepError('EXPRESSION_FAILED', bound.message))
  if (isSpent(walk)) return walk.refuse(node, stepError('PLAN_OVER_BUDGET'))
  const { timeoutMs, heartbeatMs, retry } = node
  walk.add({
    type: 'create_task',
    kind: 'agent',
    node: node.id,
    path: walk.pathOf(node.id),
    status: 'ready',
    input: bound.input,
    attempt: 1,
    ...assigneeOf(node),
    timeoutMs,
    maxAttempts: retry.maxAttempts,
    ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
  })
  return REST
}

/** An attempt of the agent ended, or the run did that carried out its plan. */
export function resumeTask(walk: Walk, node: TaskNode, event: CoreEvent): Move | undefined {
  if (event.type === 'task_planned') {
    const { versionId, input } = event
    walk.add({ type: 'await_plan', node: node.id, path: walk.pathOf(node.id), versionId, input })
    return REST
  }
  if (event.type === 'child_run_ended') return endPlan(walk, node, event)
  return isAttempt(event) ? endAttempt(walk, node, node, event) : undefined
}

/** What the plan came to is the step's result; it is not planned again. */
function endPlan(walk: Walk, node: TaskNode, event: CoreEvent & { type: 'child_run_ended' }): Move {
  if (event.status !== 'completed') return giveUp(walk, node, errorOfChild(event))
  const misfit = walk.misfit('The result', node.outputSchema, event.output)
  return misfit ? giveUp(walk, node, misfit) : finish(walk, node, { value: event.output, report: true })
}

/** Who works, and nothing else of the node. */
export function assigneeOf(assignee: Assignee): Assignee {
  return assignee.agent === undefined ? { capability: assignee.capability } : { agent: assignee.agent }
}
