import { isId, parseInput } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import { z } from 'zod'
import type { Context } from '../context.ts'

/** By what costs are summed: what a row is about, as SQL. */
const DIMENSIONS = {
  domain: 't.domain_id',
  team: 'a.team_id',
  agent: 's.agent_id',
  workflow: 'r.workflow_id',
  run: 's.run_id',
  task: 's.task_id',
  model: 's.model_id',
  day: `to_char(s.at at time zone (select tutti_zone($1::uuid)), 'YYYY-MM-DD')`,
} as const
type Dimension = keyof typeof DIMENSIONS

const DAY_MS = 86_400_000
const MOST_ROWS = 1_000

const inputSchema = z.object({
  by: z
    .array(z.enum(['organization', 'domain', 'team', 'agent', 'workflow', 'run', 'task', 'model', 'day']))
    .min(1, 'Say by what; ORGANIZATION for everything together.')
    .max(4, 'By four at most.'),
  from: z.coerce.date().nullish(),
  to: z.coerce.date().nullish(),
  first: z.int().min(1).max(MOST_ROWS, `From 1 to ${MOST_ROWS}.`).nullish(),
  filter: z
    .object({
      domainId: z.string().nullish(),
      teamId: z.string().nullish(),
      agentId: z.string().nullish(),
      workflowId: z.string().nullish(),
      runId: z.string().nullish(),
      modelId: z.string().max(400).nullish(),
    })
    .nullish(),
})

/** What is to be summed, of which time. */
export type CostsRequest = Omit<z.input<typeof inputSchema>, 'by'> & { by: readonly string[] }

/** Sums: money in US dollars, latency in milliseconds. */
export interface CostSums {
  calls: number
  failedCalls: number
  cacheHits: number
  inputTokens: number
  outputTokens: number
  cachedTokens: number
  modelUsd: number
  reportedUsd: number
  costUsd: number
  meanLatencyMs: number | null
}

/** Sums of one thing; ids of what was not asked for are null. */
export interface CostRow extends Record<Dimension, string | null> {
  sums: CostSums
}

/** Everything together, and by what was asked for, dearest first. */
export interface CostReport {
  from: Date
  to: Date
  total: CostSums
  rows: CostRow[]
  truncated: boolean
}

/**
 * Sums what models cost by the calls that are kept, and what agents reported of tasks for which the platform called no
 * model. BAD_INPUT with every mistake.
 */
export async function sumCosts(
  context: Pick<Context, 'database' | 'actor'>,
  request: CostsRequest,
): Promise<CostReport> {
  const { by, first, filter, ...given } = parseInput(inputSchema, request, 'costs')
  const to = given.to ?? new Date()
  const from = given.from ?? new Date(to.getTime() - 30 * DAY_MS)
  if (from >= to) fail('BAD_INPUT', { path: 'costs.from', message: 'It is before to.' })
  const { modelId, ...ids } = filter ?? {}
  if (Object.values(ids).some((id) => id != null && !isId(id)) || modelId?.includes('\0'))
    return { from, to, total: NOTHING, rows: [], truncated: false }
  const values = [context.actor.organizationId, from, to, ...FILTERS.map((name) => filter?.[name] ?? null)]
  const dimensions = [...new Set(by)].filter((each) => each !== 'organization')
  const take = first ?? 100
  const [[total], rows] = await Promise.all([
    read(context, values, [], 1),
    read(context, values, dimensions, take + 1),
  ])
  return {
    from,
    to,
    total: total?.sums ?? NOTHING,
    rows: rows.slice(0, take),
    truncated: rows.length > take,
  }
}

const FILTERS = ['domainId', 'teamId', 'agentId', 'workflowId', 'runId', 'modelId'] as const
const NOBODY: Record<Dimension, null> = {
  domain: null,
  team: null,
  agent: null,
  workflow: null,
  run: null,
  task: null,
  model: null,
  day: null,
}
const NOTHING: CostSums = {
  calls: 0,
  failedCalls: 0,
  cacheHits: 0,
  inputTokens: 0,
  outputTokens: 0,
  cachedTokens: 0,
  modelUsd: 0,
  reportedUsd: 0,
  costUsd: 0,
  meanLatencyMs: null,
}

async function read(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  values: readonly unknown[],
  dimensions: readonly Dimension[],
  take: number,
): Promise<CostRow[]> {
  const places = dimensions.map((_, index) => index + 1).join()
  const rows = await database.readTenant<CostSums & Record<Dimension, string | null>>(
    actor,
    `with spent as (
       select m.run_id, m.task_id, m.agent_id, m.model_id, m.created_at as at, 1 as calls,
         (m.outcome <> 'ok')::int as failed, (m.cache_level <> 'none')::int as hits, m.input_tokens, m.output_tokens,
         m.cached_tokens, m.cost_usd as model_usd, 0::numeric as reported_usd, m.latency_ms
       from model_call m
       where m.organization_id = $1::uuid and m.created_at >= $2::timestamptz and m.created_at < $3::timestamptz
       union all
       select c.run_id, c.task_id, c.agent_id, null, c.spent_at, 0, 0, 0, 0, 0, 0, 0, c.cost_usd, null
       from task_cost c
       where c.organization_id = $1::uuid and c.spent_at >= $2::timestamptz and c.spent_at < $3::timestamptz
         and not exists (select from model_call m where m.organization_id = $1::uuid and m.task_id = c.task_id
           and m.agent_id is not distinct from c.agent_id)
     )
     select ${dimensions.map((each) => `${DIMENSIONS[each]}::text as "${each}",`).join(' ')}
       coalesce(sum(s.calls), 0)::float8 as calls, coalesce(sum(s.failed), 0)::float8 as "failedCalls",
       coalesce(sum(s.hits), 0)::float8 as "cacheHits", coalesce(sum(s.input_tokens), 0)::float8 as "inputTokens",
       coalesce(sum(s.output_tokens), 0)::float8 as "outputTokens",
       coalesce(sum(s.cached_tokens), 0)::float8 as "cachedTokens", coalesce(sum(s.model_usd), 0)::float8 as "modelUsd",
       coalesce(sum(s.reported_usd), 0)::float8 as "reportedUsd",
       coalesce(sum(s.model_usd + s.reported_usd), 0)::float8 as "costUsd", avg(s.latency_ms)::float8 as "meanLatencyMs"
     from spent s
     left join agent a on a.organization_id = $1::uuid and a.id = s.agent_id
     left join team t on t.organization_id = $1::uuid and t.id = a.team_id
     left join run r on r.organization_id = $1::uuid and r.id = s.run_id
     where ($4::uuid is null or t.domain_id = $4::uuid) and ($5::uuid is null or a.team_id = $5::uuid)
       and ($6::uuid is null or s.agent_id = $6::uuid) and ($7::uuid is null or r.workflow_id = $7::uuid)
       and ($8::uuid is null or s.run_id = $8::uuid) and ($9::text is null or s.model_id = $9)
     ${dimensions.length > 0 ? `group by ${places} order by "costUsd" desc, calls desc, ${places}` : ''} limit ${take}`,
    [...values],
  )
  return rows.map((row) => {
    const { calls, failedCalls, cacheHits, inputTokens, outputTokens, cachedTokens } = row
    const { modelUsd, reportedUsd, costUsd, meanLatencyMs } = row
    const about = Object.fromEntries(dimensions.map((each) => [each, row[each]]))
    return {
      ...NOBODY,
      ...about,
      sums: {
        calls,
        failedCalls,
        cacheHits,
        inputTokens,
        outputTokens,
        cachedTokens,
        modelUsd,
        reportedUsd,
        costUsd,
        meanLatencyMs,
      },
    }
  })
}
