import { deliverStepMessage, sendMessage } from '@tutti/agents/domain'
import { z } from 'zod'
import { workerActor } from '../worker-services.ts'
import { type Executor, succeeded } from './executor.ts'

const message = z.object({ channel: z.string() })

/**
 * A message step: its body goes to the agent's inbox, once an idempotency key, and is kept among the run's messages; there,
 * what is no text is JSON.
 */
export const executeMessage: Executor = async ({ services, task, agent, actor, idempotencyKey }) => {
  const { channel } = message.parse(task.input['$message'])
  const body = task.input['body']
  await deliverStepMessage(services, workerActor(actor.organizationId), {
    idempotencyKey,
    agentId: agent.id,
    runId: task.runId,
    taskId: task.id,
    body: { channel, body: body ?? null },
  })
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
