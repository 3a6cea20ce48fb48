import type { MessageNode } from '../../../definitions/index.ts'
import type { CoreEvent } from '../event.ts'
import { REST } from '../move.ts'
import type { Move } from '../move.ts'
import type { Walk } from '../walk.ts'
import { endAttempt, isAttempt } from './attempt.ts'
import { stepError } from '../step-error.ts'

/** A message, sent by a worker under the workflow's own policy; its input is `{body}`. */
export function enterMessage(walk: Walk, node: MessageNode): Move {
  const body = walk.evaluate(node.id, node.body)
  if (!body.ok) return walk.refuse(node, stepError('EXPRESSION_FAILED', `body: ${body.message}`))
  const { timeoutMs, retry } = walk.program.definition.errorHandling
  walk.add({
    type: 'create_task',
    kind: 'message',
    node: node.id,
    path: walk.pathOf(node.id),
    status: 'ready',
    input: { body: body.value },
    attempt: 1,
    to: node.to,
    channel: node.channel,
    timeoutMs,
    maxAttempts: retry.maxAttempts,
  })
  return REST
}

/** An attempt to send it ended. */
export function resumeMessage(walk: Walk, node: MessageNode, event: CoreEvent): Move | undefined {
  if (!isAttempt(event)) return undefined
  return endAttempt(walk, node, walk.program.definition.errorHandling, event)
}
