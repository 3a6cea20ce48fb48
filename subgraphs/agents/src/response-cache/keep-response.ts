import type { Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import type { KeptResponse, ResponseOrigin } from './kept-response.ts'

/** Keeps an answer for the organization, for so many milliseconds; the newest of a key stays. */
export async function keepResponse(
  { database }: { database: Database },
  actor: Actor,
  { key, origin, lifetimeMs }: { key: string; origin: ResponseOrigin; lifetimeMs: number },
  { text, inputTokens, outputTokens, costUsd }: KeptResponse,
): Promise<void> {
  await database.transact(actor, (client) =>
    client.query(
      `insert into model_response (organization_id, id, model_id, text, input_tokens, output_tokens, cost_usd, expires_at, agent_id)
       values ($1::uuid, $2, $3, $4, $5, $6, $7::numeric, clock_timestamp() + $8::float8 * interval '1 ms', $9::uuid)
       on conflict (organization_id, id) do update set model_id = excluded.model_id, agent_id = excluded.agent_id, text = excluded.text, input_tokens = excluded.input_tokens,
         output_tokens = excluded.output_tokens, cost_usd = excluded.cost_usd, created_at = clock_timestamp(),
         expires_at = excluded.expires_at`,
      [
        actor.organizationId,
        key,
        origin.modelId,
        text,
        inputTokens,
        outputTokens,
        costUsd,
        lifetimeMs,
        origin.agentId,
      ],
    ),
  )
}
