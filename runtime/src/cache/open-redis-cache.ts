import type { Redis } from 'ioredis'
import type { Log } from '../process/create-log.ts'

/** Texts that Redis keeps for a while. */
export interface RedisCache extends AsyncDisposable {
  /** What is kept under a key, and for how many milliseconds more; undefined when there is nothing. */
  get(key: string): Promise<{ text: string; remainingMs: number } | undefined>
  /** Keeps a text for so many milliseconds. */
  set(key: string, text: string, lifetimeMs: number): Promise<void>
  /** Forgets what is kept under keys that begin so, where this holds of the text. */
  drop(prefix: string, matches: (text: string) => boolean): Promise<void>
}

/** A cache that is slower than this is none. */
const MOST_MS = 500

/** Opens a cache at a `redis://` URL; it connects when it is first asked. Rejects when Redis does not answer in time. */
export function openRedisCache(url: string, log: Pick<Log, 'warn'>): RedisCache {
  let opened: Promise<Redis> | undefined
  async function open(): Promise<Redis> {
    const { Redis } = await import('ioredis')
    const redis = new Redis(url, {
      maxRetriesPerRequest: 1,
      commandTimeout: MOST_MS,
      connectTimeout: MOST_MS,
    })
    let isDown = false
    redis.on('error', (error) => {
      if (!isDown) log.warn({ err: error }, 'the cache in Redis cannot be reached')
      isDown = true
    })
    redis.on('ready', () => {
      isDown = false
    })
    return redis
  }
  return {
    async get(key) {
      const redis = await (opened ??= open())
      const [text, remainingMs] = await Promise.all([redis.get(key), redis.pttl(key)])
      return text !== null && remainingMs > 0 ? { text, remainingMs } : undefined
    },
    async set(key, text, lifetimeMs) {
      const redis = await (opened ??= open())
      await redis.set(key, text, 'PX', Math.max(1, Math.round(lifetimeMs)))
    },
    async drop(prefix, matches) {
      const redis = await (opened ??= open())
      // What stands for itself in a pattern of Redis.
      const pattern = `${prefix.replace(/[*?[\]\\]/g, '\\$&')}*`
      let cursor = '0'
      do {
        const [next, keys] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', 1_000)
        cursor = next
        const texts = keys.length === 0 ? [] : await redis.mget(keys)
        const gone = keys.filter((_, index) => {
          const text = texts[index]
          return text != null && matches(text)
        })
        if (gone.length > 0) await redis.del(gone)
      } while (cursor !== '0')
    },
    async [Symbol.asyncDispose]() {
      ;(await opened)?.disconnect()
    },
  }
}
