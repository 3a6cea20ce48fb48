import type { Redis } from 'ioredis'
import type { Log } from '../process/create-log.ts'

/** Texts that Redis keeps for a while. */
export interface RedisCache extends AsyncDisposable {
  /** What is kept under a key, and for how many milliseconds more; undefined when there is nothing. */
  get(key: string): Promise<{ text: string; remainingMs: number } | undefined>
  /** Keeps a text for so many milliseconds. */
  set(key: string, text: string, lifetimeMs: number): Promise<void>
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
    async [Symbol.asyncDispose]() {
      ;(await opened)?.disconnect()
    },
  }
}
