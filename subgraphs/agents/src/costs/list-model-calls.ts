import { type Connection, connectionOf, isId, type PageArguments, readPage } from '@tutti/runtime'
import type { Context } from '../context.ts'

/** A call of a model as it is kept. */
export interface ModelCallRow {
  id: string
  modelId: string
  provider: string
  runId: string | null
  taskId: string | null
  agentId: string | null
  inputTokens: number
  outputTokens: number
  cachedTokens: number
  /** US dollars as a decimal text. */
  costUsd: string
  latencyMs: number
  outcome: string
  cacheLevel: string
  quality: number | null
  reason: Record<string, unknown>
  createdAt: Date
}

/** Which calls, and which page of them. */
export interface ModelCallsRequest extends PageArguments {
  runId?: string | null | undefined
  agentId?: string | null | undefined
  modelId?: string | null | undefined
  outcome?: string | null | undefined
}

/** One page of the calls of models, newest first. */
export async function listModelCalls(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  { runId, agentId, modelId, outcome, ...page }: ModelCallsRequest,
): Promise<Connection<ModelCallRow>> {
  const { take, afterId } = readPage(page)
  const findable =
    [runId, agentId].every((id) => id == null || isId(id)) &&
    [modelId, outcome].every((text) => text == null || !text.includes('\0'))
  if (!findable) return connectionOf([], take)
  const rows = await database.readTenant<ModelCallRow>(
    actor,
    `select id, model_id as "modelId", provider, run_id as "runId", task_id as "taskId", agent_id as "agentId",
       input_tokens as "inputTokens", output_tokens as "outputTokens", cached_tokens as "cachedTokens",
       cost_usd::text as "costUsd", latency_ms as "latencyMs", outcome, cache_level as "cacheLevel", quality, reason,
       created_at as "createdAt"
     from model_call where organization_id = $1::uuid and ($2::uuid is null or id < $2::uuid)
       and ($3::uuid is null or run_id = $3::uuid) and ($4::uuid is null or agent_id = $4::uuid)
       and ($5::text is null or model_id = $5) and ($6::text is null or outcome = $6)
     order by id desc limit $7`,
    [actor.organizationId, afterId, runId ?? null, agentId ?? null, modelId ?? null, outcome ?? null, take],
  )
  return connectionOf(rows, take)
}
