import type { Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import type { KeptResponse, ResponseOrigin } from './kept-response.ts'

/** What the organization has kept under this key, whose it is, and for how many milliseconds more; undefined when there is nothing. */
export async function findResponse(
  { database }: { database: Database },
  actor: Actor,
  key: string,
): Promise<{ response: KeptResponse; origin: ResponseOrigin; remainingMs: number } | undefined> {
  const [row] = await database.readTenant<KeptResponse & ResponseOrigin & { remainingMs: number }>(
    actor,
    `select text, input_tokens as "inputTokens", output_tokens as "outputTokens", cost_usd::text as "costUsd",
       model_id as "modelId", agent_id as "agentId",
       extract(epoch from expires_at - clock_timestamp())::float8 * 1000 as "remainingMs"
     from model_response where organization_id = $1::uuid and id = $2 and expires_at > clock_timestamp()`,
    [actor.organizationId, key],
  )
  if (!row) return undefined
  const { remainingMs, modelId, agentId, ...response } = row
  return { response, origin: { modelId, agentId }, remainingMs }
}
