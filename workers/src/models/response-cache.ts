import {
  type CacheLevel,
  type CacheReach,
  findResponse,
  keepResponse,
  type KeptResponse,
} from '@tutti/agents/domain'
import type { Database } from '@tutti/prisma'
import { type Log, openRedisCache } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import { createMemoryResponses } from './memory-responses.ts'

/** How long an answer is kept at a level, in milliseconds. */
export const LIFETIME_MS: Readonly<Record<CacheLevel, number>> = {
  memory: 300_000,
  redis: 3_600_000,
  database: 86_400_000,
}
const MOST_MEMORY_LETTERS = 32 * 1024 * 1024
const MOST_TEXT_LETTERS = 256 * 1024

const kept = z.object({
  text: z.string(),
  inputTokens: z.number(),
  outputTokens: z.number(),
  costUsd: z.string(),
})

/** What a look brought. */
export interface Look {
  found: { level: CacheLevel; response: KeptResponse } | undefined
  /** The levels that were asked and did not have it. */
  missed: CacheLevel[]
}

/** Answers of models, of each organization for itself: in memory, in Redis where there is one, in the database. */
export interface ResponseCache extends AsyncDisposable {
  /** Looks at one level after another, up to `reach`; what a farther one has is put into the nearer. */
  find(actor: Actor, key: string, reach: CacheReach): Promise<Look>
  /** Keeps an answer at all levels up to `reach`. A level that fails is one that does not have it. */
  keep(
    actor: Actor,
    entry: { key: string; modelId: string; reach: CacheReach },
    response: KeptResponse,
  ): Promise<void>
}

interface Level {
  name: CacheLevel
  get(actor: Actor, key: string): Promise<{ response: KeptResponse; remainingMs: number } | undefined>
  set(
    actor: Actor,
    entry: { key: string; modelId: string; lifetimeMs: number },
    response: KeptResponse,
  ): Promise<void>
}

/** Opens it; `now` is a clock in milliseconds. */
export function openResponseCache(
  { database, log }: { database: Database; log: Log },
  { redisUrl, now = () => performance.now() }: { redisUrl?: string | undefined; now?: () => number } = {},
): ResponseCache {
  const memory = createMemoryResponses(MOST_MEMORY_LETTERS)
  const redis = redisUrl === undefined ? undefined : openRedisCache(redisUrl, log)
  // The key alone already differs by organization; who reads it here need not know that.
  const own = ({ organizationId }: Actor, key: string): string => `tutti:response:${organizationId}:${key}`
  const levels: Level[] = [
    {
      name: 'memory',
      get: async (actor, key) => memory.get(own(actor, key), now()),
      set: async (actor, { key, lifetimeMs }, response) =>
        memory.set(own(actor, key), response, lifetimeMs, now()),
    },
  ]
  if (redis) {
    levels.push({
      name: 'redis',
      async get(actor, key) {
        const found = await redis.get(own(actor, key))
        return found && { response: kept.parse(JSON.parse(found.text)), remainingMs: found.remainingMs }
      },
      set: (actor, { key, lifetimeMs }, response) =>
        redis.set(own(actor, key), JSON.stringify(response), lifetimeMs),
    })
  }
  levels.push({
    name: 'database',
    get: (actor, key) => findResponse({ database }, actor, key),
    set: (actor, entry, response) => keepResponse({ database }, actor, entry, response),
  })

  /** Up to and with the one of this name; a Redis that there is not leaves memory. */
  function within(reach: CacheReach): Level[] {
    if (reach === 'off') return []
    if (reach === 'database') return levels
    return levels.filter(({ name }) => name !== 'database' && (reach === 'redis' || name === 'memory'))
  }

  /** The work does not depend on it. */
  async function orElse<T>(level: CacheLevel, work: Promise<T>): Promise<T | undefined> {
    try {
      return await work
    } catch (error) {
      log.warn({ err: error, level }, 'a level of the cache of answers failed')
      return undefined
    }
  }

  return {
    async find(actor, key, reach) {
      const nearer: Level[] = []
      for (const level of within(reach)) {
        const found = await orElse(level.name, level.get(actor, key))
        if (found) {
          const { response, remainingMs } = found
          await Promise.all(
            nearer.map(({ name, set }) => {
              const lifetimeMs = Math.min(LIFETIME_MS[name], remainingMs)
              return orElse(name, set(actor, { key, modelId: '', lifetimeMs }, response))
            }),
          )
          return { found: { level: level.name, response }, missed: nearer.map(({ name }) => name) }
        }
        nearer.push(level)
      }
      return { found: undefined, missed: nearer.map(({ name }) => name) }
    },
    async keep(actor, { key, modelId, reach }, response) {
      if (response.text.length > MOST_TEXT_LETTERS) return
      await Promise.all(
        within(reach).map(({ name, set }) =>
          orElse(name, set(actor, { key, modelId, lifetimeMs: LIFETIME_MS[name] }, response)),
        ),
      )
    },
    [Symbol.asyncDispose]: async () => redis?.[Symbol.asyncDispose](),
  }
}
