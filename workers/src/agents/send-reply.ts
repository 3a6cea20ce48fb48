import { sendMessage } from '@tutti/agents/domain'
import { type Executor, failed, succeeded, type TaskCall } from '../executors/executor.ts'
import { draftResponse } from './step-input.ts'

/** Sends a text to the customer of a run, once an idempotency key. */
export async function sendToCustomer({ services, task, actor, idempotencyKey }: TaskCall, text: string) {
  const { message } = await sendMessage(services, actor, {
    idempotencyKey,
    agentId: task.agentId,
    runId: task.runId,
    taskId: task.id,
    channel: 'customer',
    recipient: `run/${task.runId}`,
    body: text,
  })
  return { message_id: message.id, sent_at: message.createdAt }
}

/** Step 7a: the draft goes out. */
export const sendReply: Executor = async (call) => {
  const draft = draftResponse.safeParse(call.task.input['draft_response'])
  if (!draft.success) return failed('NOTHING_TO_SEND', 'There is no draft to send.')
  return succeeded(await sendToCustomer(call, draft.data.text))
}
