import type { Database } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import { agentMemoryOf } from './agent-memory.ts'
import { PRIORITY } from './agent-message.ts'
import { chooseRecipient } from './choose-recipient.ts'
import { senderOf } from './correspondents.ts'
import type { PostedMessage } from './insert-messages.ts'
import { bodyOf, digestOf, expiresInSeconds, idempotencyKey, priorityOr, target } from './message-input.ts'
import { postMessage } from './post-message.ts'

const inputSchema = z.object({
  to: target,
  body: bodyOf(),
  priority: priorityOr(PRIORITY.normal),
  expiresInSeconds,
  idempotencyKey,
})

/**
 * Sends a message to an agent, once an idempotency key: it is in the inbox when the answer comes, and waits there for an
 * agent that is offline. Sending it again answers with the first. BAD_INPUT with every mistake, and as
 * `chooseRecipient` and `postMessage`.
 */
export async function sendAgentMessage(
  { database }: { database: Database },
  actor: Actor,
  request: unknown,
): Promise<PostedMessage> {
  const given = parseInput(inputSchema, request)
  const { sender, agent } = await senderOf(database, actor)
  const to = await chooseRecipient(database, { sender, agent, kind: 'message', target: given.to })
  const posted = await postMessage(database, {
    kind: 'message',
    sender,
    toAgentId: to.id,
    priority: given.priority,
    body: given.body,
    seconds: given.expiresInSeconds,
    ...(given.idempotencyKey == null
      ? {}
      : { idempotencyKey: given.idempotencyKey, digest: digestOf(given) }),
  })
  if (posted.created) agentMemoryOf(database).add(to, 1)
  return posted
}
