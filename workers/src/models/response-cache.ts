import {
  type CacheLevel,
  type CacheReach,
  findResponse,
  keepResponse,
  type KeptResponse,
  type ResponseOrigin,
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
const keptInRedis = z.object({
  response: kept,
  origin: z.object({ modelId: z.string(), agentId: z.string().nullable() }),
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
    entry: ResponseOrigin & { key: string; reach: CacheReach },
    response: KeptResponse,
  ): Promise<void>
  /** Forgets what an organization has in memory and in Redis: of a model, of an agent, of both; null: of any. */
  purge(organizationId: string, which: { modelId: string | null; agentId: string | null }): Promise<void>
  /** Forgets all that is in memory. */
  forget(): void
}

interface Level {
  name: CacheLevel
  get(
    actor: Actor,
    key: string,
  ): Promise<{ response: KeptResponse; origin: ResponseOrigin; remainingMs: number } | undefined>
  set(
    actor: Actor,
    entry: { key: string; origin: ResponseOrigin; lifetimeMs: number },
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
  const ofOrganization = (id: string): string => `tutti:response:${id}:`
  const own = ({ organizationId }: Actor, key: string): string => ofOrganization(organizationId) + key
  /** What was found before something was purged is not put anywhere after. */
  let purges = 0
  const levels: Level[] = [
    {
      name: 'memory',
      get: async (actor, key) => memory.get(own(actor, key), now()),
      set: async (actor, { key, origin, lifetimeMs }, response) =>
        memory.set(own(actor, key), { response, origin }, lifetimeMs, now()),
    },
  ]
  if (redis) {
    levels.push({
      name: 'redis',
      async get(actor, key) {
        const found = await redis.get(own(actor, key))
        return found && { ...keptInRedis.parse(JSON.parse(found.text)), remainingMs: found.remainingMs }
      },
      set: (actor, { key, origin, lifetimeMs }, response) =>
        redis.set(own(actor, key), JSON.stringify({ response, origin }), lifetimeMs),
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
      const before = purges
      for (const level of within(reach)) {
        const found = await orElse(level.name, level.get(actor, key))
        if (found) {
          const { response, origin, remainingMs } = found
          const isCurrent = purges === before
          await Promise.all(
            (isCurrent ? nearer : []).map(({ name, set }) => {
              const lifetimeMs = Math.min(LIFETIME_MS[name], remainingMs)
              return orElse(name, set(actor, { key, origin, lifetimeMs }, response))
            }),
          )
          return { found: { level: level.name, response }, missed: nearer.map(({ name }) => name) }
        }
        nearer.push(level)
      }
      return { found: undefined, missed: nearer.map(({ name }) => name) }
    },
    async keep(actor, { key, reach, modelId, agentId }, response) {
      if (response.text.length > MOST_TEXT_LETTERS) return
      await Promise.all(
        within(reach).map(({ name, set }) =>
          orElse(
            name,
            set(actor, { key, origin: { modelId, agentId }, lifetimeMs: LIFETIME_MS[name] }, response),
          ),
        ),
      )
    },
    async purge(organizationId, { modelId, agentId }) {
      purges += 1
      const matches = (origin: ResponseOrigin): boolean =>
        (modelId === null || origin.modelId === modelId) && (agentId === null || origin.agentId === agentId)
      const prefix = ofOrganization(organizationId)
      memory.drop(prefix, matches)
      await redis?.drop(prefix, (text) => {
        const known = keptInRedis.safeParse(JSON.parse(text))
        return !known.success || matches(known.data.origin)
      })
    },
    forget() {
      purges += 1
      memory.drop('', () => true)
    },
    [Symbol.asyncDispose]: async () => redis?.[Symbol.asyncDispose](),
  }
}
