import { sendMessage } from '@tutti/agents/domain'
import { z } from 'zod'
import { type Executor, succeeded } from './executor.ts'

const message = z.object({ channel: z.string() })

/** A message step: its body goes to the agent's inbox, once an idempotency key; what is no text is sent as JSON. */
export const executeMessage: Executor = async ({ services, task, agent, actor, idempotencyKey }) => {
  const { channel } = message.parse(task.input['$message'])
  const body = task.input['body']
  const { message: sent } = await sendMessage(services, actor, {
    idempotencyKey,
    agentId: agent.id,
    runId: task.runId,
    taskId: task.id,
    channel,
    recipient: `agent/${agent.name}`,
    body: typeof body === 'string' ? body : JSON.stringify(body ?? null),
  })
  return succeeded({ message_id: sent.id, sent_at: sent.createdAt })
}
