import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import { wakeStep } from '../board/end-claim.ts'
import type { Services } from '../context.ts'
import { isStorableText } from '../triggers/unstorable.ts'
import { claimToken, lockWorkerClaim } from './worker-claim.ts'

const LONGEST_DELAY_MS = 86_400_000

/**
 * A worker could not do its task: tried again by the step's rules, as when an HTTP agent answers so. Answers with the
 * task's id. By the same claim again nothing happens. BAD_INPUT with all mistakes; STALE_LEASE when the claim is over.
 */
export async function failTask(
  { database, wake, secret }: Pick<Services, 'database' | 'wake' | 'secret'>,
  actor: Actor,
  input: unknown,
): Promise<string> {
  const schema = z.object({
    token: claimToken(secret, actor),
    code: z
      .string()
      .regex(/^[A-Z][A-Z0-9_]{0,63}$/, 'A code is of capitals, digits and underscores, 64 at most.'),
    message: z
      .string()
      .max(2_000, 'At most 2,000 characters.')
      .refine(isStorableText, 'It holds a NUL or half a character, which cannot be stored.'),
    retryable: z.boolean().nullish(),
    retryAfterMs: z
      .int()
      .min(0, 'At least 0.')
      .max(LONGEST_DELAY_MS, 'At most 86,400,000, which is a day.')
      .nullish(),
  })
  const { token, code, message, retryable, retryAfterMs } = parseInput(schema, input)
  const woken = await database.transact(actor, async (client) => {
    const { held, over } = await lockWorkerClaim(client, actor, token)
    const { item, step } = held
    if (over || !step) return false
    await client.query(
      `update board_item set status = 'failed', error = $3, lease_until = null, ended_at = clock_timestamp()
       where organization_id = $1 and id = $2`,
      [actor.organizationId, item.id, JSON.stringify({ code, message })],
    )
    await wakeStep(client, actor, step, {
      type: 'task_failed',
      node: step.node,
      attempt: token.attempt,
      error: {
        code,
        message,
        retryable: retryable ?? false,
        ...(retryAfterMs == null ? {} : { retryAfterMs }),
      },
    })
    return true
  })
  if (woken) wake()
  return token.taskId
}
