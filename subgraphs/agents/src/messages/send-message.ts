import type { Database } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { isStorable } from '../configuration/find-unsafe-values.ts'
import { MESSAGE_COLUMNS, type MessageRow } from './message-row.ts'

const text = (max: number) =>
  z.string().min(1).max(max).refine(isStorable, 'It must not hold the NUL character.')
const reference = z.uuid().nullish()

const input = z.object({
  idempotencyKey: text(200),
  agentId: reference,
  runId: reference,
  taskId: reference,
  channel: text(100),
  recipient: text(500),
  body: text(100_000),
})

/** A message to somebody outside. */
export type OutgoingMessage = z.input<typeof input>

/**
 * Sends a message once an idempotency key: into the platform's own outbox, from which a channel delivers it. Sending
 * it again answers with the first one; IDEMPOTENCY_KEY_REUSED when that was another message.
 */
export async function sendMessage(
  { database }: { database: Database },
  actor: Actor,
  message: OutgoingMessage,
): Promise<{ message: MessageRow; created: boolean }> {
  const { idempotencyKey, agentId, runId, taskId, channel, recipient, body } = parseInput(
    input,
    message,
    'message',
  )
  return database.inTenant(actor, async (tx) => {
    const [created] = await tx.sql<MessageRow>(
      `insert into outbound_message (organization_id, idempotency_key, agent_id, run_id, task_id, channel, recipient, body)
       values ($1::uuid, $2, $3::uuid, $4::uuid, $5::uuid, $6, $7, $8)
       on conflict (organization_id, idempotency_key) do nothing returning ${MESSAGE_COLUMNS}`,
      actor.organizationId,
      idempotencyKey,
      agentId ?? null,
      runId ?? null,
      taskId ?? null,
      channel,
      recipient,
      body,
    )
    if (created) return { message: created, created: true }
    const [sent] = await tx.sql<MessageRow>(
      `select ${MESSAGE_COLUMNS} from outbound_message where organization_id = $1::uuid and idempotency_key = $2`,
      actor.organizationId,
      idempotencyKey,
    )
    if (!sent) fail('INTERNAL')
    if (sent.channel !== channel || sent.recipient !== recipient || sent.body !== body) {
      fail('IDEMPOTENCY_KEY_REUSED', { path: 'message.idempotencyKey' })
    }
    return { message: sent, created: false }
  })
}
