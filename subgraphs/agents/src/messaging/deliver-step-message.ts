import type { Database } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import { agentMemoryOf } from './agent-memory.ts'
import { PRIORITY, type Sender } from './agent-message.ts'
import { chooseRecipient } from './choose-recipient.ts'
import { bodyOf, digestOf } from './message-input.ts'
import { postMessage } from './post-message.ts'

const A_WEEK = 7 * 24 * 60 * 60
const said = z.object({ body: bodyOf() })

/** What a message step says to its agent. */
export interface StepMessage {
  agentId: string
  runId: string
  taskId: string
  /** The attempts' own. */
  idempotencyKey: string
  body: unknown
}

/**
 * Puts what a step of a run says into its agent's inbox, once. It is the organization that speaks, which rules on everybody
 * bind. Errors as those of `sendAgentMessage`.
 */
export async function deliverStepMessage(
  { database }: { database: Database },
  actor: Actor,
  { agentId, runId, taskId, idempotencyKey, body }: StepMessage,
): Promise<void> {
  parseInput(said, { body })
  const sender: Sender = { agentId: null, key: 'step', actor }
  const to = await chooseRecipient(database, {
    sender,
    agent: null,
    kind: 'message',
    target: { agent: agentId },
  })
  const { created } = await postMessage(database, {
    kind: 'message',
    sender,
    toAgentId: to.id,
    runId,
    taskId,
    priority: PRIORITY.normal,
    body,
    seconds: A_WEEK,
    idempotencyKey,
    digest: digestOf({ agentId, body }),
  })
  if (created) agentMemoryOf(database).add(to, 1)
}
