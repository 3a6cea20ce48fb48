import type { Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import { CACHE_LEVELS, type CacheLevel } from './kept-response.ts'

const DAY_MS = 24 * 60 * 60 * 1000

/** How the cache served an organization. */
export interface CacheStatistics {
  since: Date
  /** Answers of models, from the cache or not. */
  answers: number
  levels: { level: CacheLevel; hits: number; misses: number }[]
  savedTokens: number
  /** US dollars. */
  savedUsd: number
}

interface Row {
  answers: number
  savedTokens: number
  savedUsd: number
  hits: Partial<Record<CacheLevel, number>>
  misses: Partial<Record<CacheLevel, number>>
}

/** Hits and misses by level, and what the hits saved, since a moment; of the last day unless given. Calls are known for 90 days. */
export async function readCacheStatistics(
  { database }: { database: Database },
  actor: Actor,
  since: Date = new Date(Date.now() - DAY_MS),
): Promise<CacheStatistics> {
  const [row] = await database.readTenant<Row>(
    actor,
    `with calls as (select cache_level, cache_missed, saved_tokens, saved_usd from model_call
       where organization_id = $1::uuid and created_at >= $2 and outcome = 'ok')
     select count(*)::float8 as answers, coalesce(sum(saved_tokens), 0)::float8 as "savedTokens",
       coalesce(sum(saved_usd), 0)::float8 as "savedUsd",
       (select coalesce(json_object_agg(cache_level, n), '{}') from
         (select cache_level, count(*) as n from calls group by 1) x) as hits,
       (select coalesce(json_object_agg(level, n), '{}') from
         (select level, count(*) as n from calls, unnest(cache_missed) level group by 1) x) as misses
     from calls`,
    [actor.organizationId, since],
  )
  return {
    since,
    answers: row?.answers ?? 0,
    levels: CACHE_LEVELS.map((level) => ({
      level,
      hits: row?.hits[level] ?? 0,
      misses: row?.misses[level] ?? 0,
    })),
    savedTokens: row?.savedTokens ?? 0,
    savedUsd: row?.savedUsd ?? 0,
  }
}
