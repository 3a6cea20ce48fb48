import type { Assignee, TaskNode } from '../../../definitions/index.ts'
import type { CoreEvent } from '../event.ts'
import { REST } from '../move.ts'
import type { Move } from '../move.ts'
import type { Walk } from '../walk.ts'
import { endAttempt, isAttempt } from './attempt.ts'
import { stepError } from '../step-error.ts'

/** Work for an agent. */
export function enterTask(walk: Walk, node: TaskNode): Move {
  const bound = walk.bind(node.id, node.inputs)
  if (!bound.ok) return walk.refuse(node, stepError('EXPRESSION_FAILED', bound.message))
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

/** An attempt of the agent ended. */
export function resumeTask(walk: Walk, node: TaskNode, event: CoreEvent): Move | undefined {
  return isAttempt(event) ? endAttempt(walk, node, node, event) : undefined
}

/** Who works, and nothing else of the node. */
export function assigneeOf(assignee: Assignee): Assignee {
  return assignee.agent === undefined ? { capability: assignee.capability } : { agent: assignee.agent }
}
