import type { Resolvers } from '../../generated/resolvers.ts'
import { purgeResponseCache } from './purge-response-cache.ts'
import { readCacheStatistics } from './read-cache-statistics.ts'

const LEVELS = { memory: 'MEMORY', redis: 'REDIS', database: 'DATABASE' } as const

export const responseCacheResolvers = {
  Query: {
    responseCacheStatistics: async (_, { since }, context) => {
      const statistics = await readCacheStatistics(
        context,
        context.actor,
        since == null ? undefined : new Date(since),
      )
      const levels = statistics.levels.map(({ level, ...counts }) => ({ ...counts, level: LEVELS[level] }))
      return { ...statistics, levels }
    },
  },
  Mutation: {
    purgeResponseCache: async (_, { input }, context) => ({
      deleted: await purgeResponseCache(context, context.actor, input),
    }),
  },
} satisfies Resolvers
