import type { Database } from '@tutti/prisma'
import { type Actor, fail } from '@tutti/schema'
import type { CacheLevel, KeptResponse } from '../response-cache/kept-response.ts'
import { costOf, type Tokens } from './cost-of.ts'
import { measurementsOf } from './measurements.ts'
import { type Model, priceAt } from './model.ts'

/** A provider that asks to wait and does not say how long is left alone for this. */
const RETRY_AFTER_MS = 10_000

/** A call of a model that is over. */
export interface ModelCall {
  /** Null when the registry does not know it: it costs nothing then. */
  model: Model | null
  /** What the provider calls it. */
  name: string
  runId: string | null
  taskId: string | null
  agentId: string | null
  tokens: Tokens
  /** Milliseconds. */
  latencyMs: number
  /** `ok`, or the code of the failure. */
  outcome: string
  /** What a provider that asked to wait said, in milliseconds; undefined when it did not say. */
  retryAfterMs: number | undefined
  /** 0 to 1, where it was judged. */
  quality: number | null
  /** Why this model, as JSON. */
  reason: Readonly<Record<string, unknown>>
  /** How the cache came in; not at all unless given. */
  cache?: {
    /** Where the answer was; none when the model gave it. */
    level: CacheLevel | 'none'
    /** The levels that were asked and did not have it. */
    missed: readonly CacheLevel[]
    /** What the answer from the cache had taken. */
    saved?: KeptResponse
  }
}

/**
 * Keeps a call with its cost and counts it among the model's measurements, unless the answer was in the cache; answers with the cost, US dollars as a decimal text of twelve places.
 */
export async function recordModelCall(
  { database }: { database: Database },
  actor: Actor,
  call: ModelCall,
): Promise<{ costUsd: string }> {
  const { model, tokens, outcome, quality, cache } = call
  const modelId = model?.id ?? call.name
  const price = model && priceAt(model, new Date())
  const costUsd = price ? costOf(price, tokens) : '0'
  const wait = outcome === 'MODEL_RATE_LIMITED' ? (call.retryAfterMs ?? RETRY_AFTER_MS) : null
  const latencyMs = Math.round(call.latencyMs)
  const { rows } = await database.transact(actor, (client) =>
    client.query<{ id: string }>(
      `insert into model_call (organization_id, run_id, task_id, agent_id, model_id, provider, input_tokens,
         output_tokens, cached_tokens, cost_usd, latency_ms, outcome, quality, retry_at, reason, cache_level, cache_missed,
         saved_tokens, saved_usd)
       values ($1::uuid, $2::uuid, $3::uuid, $4::uuid, $5, $6, $7, $8, $9, $10::numeric, $11, $12, $13,
         clock_timestamp() + $14::float8 * interval '1 ms', $15::jsonb, $16, $17::text[], $18, $19::numeric) returning id`,
      [
        actor.organizationId,
        call.runId,
        call.taskId,
        call.agentId,
        modelId,
        model?.provider ?? 'unknown',
        tokens.input,
        tokens.output,
        tokens.cached,
        costUsd,
        latencyMs,
        outcome,
        quality,
        wait,
        JSON.stringify(call.reason),
        cache?.level ?? 'none',
        cache?.missed ?? [],
        cache?.saved ? cache.saved.inputTokens + cache.saved.outputTokens : 0,
        cache?.saved?.costUsd ?? '0',
      ],
    ),
  )
  // What the cache answers says nothing of how the model does.
  if (cache && cache.level !== 'none') return { costUsd }
  const at = Date.now()
  measurementsOf(database).note(actor.organizationId, {
    id: rows[0]?.id ?? fail('INTERNAL'),
    modelId,
    at,
    tokens: tokens.input + tokens.output,
    latencyMs,
    outcome,
    quality,
    outUntil: wait === null ? null : at + wait,
  })
  return { costUsd }
}
