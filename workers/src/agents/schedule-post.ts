import { sendMessage } from '@tutti/agents/domain'
import { z } from 'zod'
import { nextSlot } from '../builtins/content/index.ts'
import { type Executor, failed, succeeded } from '../executors/executor.ts'

const settingsSchema = z.object({
  /** The full hour, UTC, at which each kind of post goes out. */
  hours: z.record(z.string(), z.int().min(0).max(23)).default({}),
})
const NOON = 12
const post = z.object({ text: z.string().min(1) })

/**
 * Puts the post into the outbox, once an idempotency key, for the next time the hour of its kind comes. The hour is counted from
 * when it was first put there, so that another attempt names the same.
 */
export const schedulePost: Executor = async ({ services, task, agent, actor, idempotencyKey }) => {
  const { hours } = settingsSchema.parse(agent.executor.settings)
  const given = post.safeParse(task.input['generated_content'])
  if (!given.success) return failed('NOTHING_TO_SCHEDULE', 'There is no post to schedule.')
  const kind = z.string().min(1).max(200).catch('social_post').parse(task.input['content_type'])
  const { message } = await sendMessage(services, actor, {
    idempotencyKey,
    agentId: agent.id,
    runId: task.runId,
    taskId: task.id,
    channel: 'publication',
    recipient: kind,
    body: given.data.text,
  })
  const publishAt = nextSlot(message.createdAt, hours[kind] ?? NOON)
  return succeeded({ message_id: message.id, publish_at: publishAt.toISOString() })
}
