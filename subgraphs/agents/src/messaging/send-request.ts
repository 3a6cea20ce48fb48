import type { Database } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import { agentMemoryOf } from './agent-memory.ts'
import { PRIORITY } from './agent-message.ts'
import { chooseRecipient } from './choose-recipient.ts'
import { senderOf } from './correspondents.ts'
import type { PostedMessage } from './insert-messages.ts'
import { bodyOf, digestOf, idempotencyKey, priorityOr, target } from './message-input.ts'
import { postMessage } from './post-message.ts'

const MOST_SECONDS = 24 * 60 * 60
const SECONDS = 30

const inputSchema = z.object({
  to: target,
  body: bodyOf(),
  priority: priorityOr(PRIORITY.high),
  timeoutSeconds: z
    .int()
    .min(1, 'At least 1.')
    .max(MOST_SECONDS, 'At most 86,400, which is a day.')
    .nullish()
    .transform((seconds) => seconds ?? SECONDS),
  idempotencyKey,
})

/**
 * Asks an agent for an answer and does not wait for it: the message's id is what the answer bears. High priority and 30 s
 * unless said; not answered by then it is dead. Errors as those of `sendAgentMessage`.
 */
export async function sendRequest(
  { database }: { database: Database },
  actor: Actor,
  request: unknown,
): Promise<PostedMessage> {
  const given = parseInput(inputSchema, request)
  const { sender, agent } = await senderOf(database, actor)
  const to = await chooseRecipient(database, { sender, agent, kind: 'request', target: given.to })
  const posted = await postMessage(database, {
    kind: 'request',
    sender,
    toAgentId: to.id,
    priority: given.priority,
    body: given.body,
    seconds: given.timeoutSeconds,
    ...(given.idempotencyKey == null
      ? {}
      : { idempotencyKey: given.idempotencyKey, digest: digestOf({ ...given, kind: 'request' }) }),
  })
  if (posted.created) agentMemoryOf(database).add(to, 1)
  return posted
}
