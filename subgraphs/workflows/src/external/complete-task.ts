import { parseInput } from '@tutti/runtime'
import { type Actor, TuttiError } from '@tutti/schema'
import { z } from 'zod'
import { wakeStep } from '../board/end-claim.ts'
import type { Services } from '../context.ts'
import { readJson } from '../runs/control/read-json.ts'
import { claimToken, lockWorkerClaim } from './worker-claim.ts'

const output = z.unknown().superRefine((value, context) => {
  try {
    readJson(value, 'output')
  } catch (error) {
    if (!(error instanceof TuttiError)) throw error
    context.addIssue({ code: 'custom', message: error.message })
  }
})

/**
 * A worker has done its task; the run goes on with the output, which is checked as an agent's answer is. Answers with the
 * task's id. By the same claim again nothing happens. BAD_INPUT with all mistakes; STALE_LEASE when the claim is over.
 */
export async function completeTask(
  { database, wake, secret }: Pick<Services, 'database' | 'wake' | 'secret'>,
  actor: Actor,
  input: unknown,
): Promise<string> {
  const schema = z.object({
    token: claimToken(secret, actor),
    output,
    costUsd: z.number().min(0, 'At least 0.').max(1_000_000, 'At most 1,000,000.').nullish(),
  })
  const { token, costUsd, output: given } = parseInput(schema, input)
  const result = given ?? null
  const woken = await database.transact(actor, async (client) => {
    const { held, over } = await lockWorkerClaim(client, actor, token)
    const { item, step } = held
    if (over || !step) return false
    await client.query(
      `update board_item set status = 'completed', output = $3, lease_until = null, ended_at = clock_timestamp()
       where organization_id = $1 and id = $2`,
      [actor.organizationId, item.id, JSON.stringify(result)],
    )
    await wakeStep(client, actor, step, {
      type: 'task_succeeded',
      node: step.node,
      attempt: token.attempt,
      output: result,
      ...(costUsd == null ? {} : { costUsd }),
    })
    return true
  })
  if (woken) wake()
  return token.taskId
}
