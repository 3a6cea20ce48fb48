import type { KeptResponse, ResponseOrigin } from '@tutti/agents/domain'

/** Answers in this process; those that were not asked for longest go first. */
export interface MemoryResponses {
  /** `now` and lifetimes in milliseconds. */
  get(key: string, now: number): (OriginalResponse & { remainingMs: number }) | undefined
  set(key: string, kept: OriginalResponse, lifetimeMs: number, now: number): void
  /** Forgets what is kept under keys that begin so, where this holds of whose it is. */
  drop(prefix: string, matches: (origin: ResponseOrigin) => boolean): void
}

interface OriginalResponse {
  response: KeptResponse
  origin: ResponseOrigin
}

interface Kept extends OriginalResponse {
  until: number
}

/** Holds at most so many letters of answers and keys. */
export function createMemoryResponses(mostLetters: number): MemoryResponses {
  const kept = new Map<string, Kept>()
  let letters = 0

  function drop(key: string): void {
    const known = kept.get(key)
    if (!known) return
    letters -= key.length + known.response.text.length
    kept.delete(key)
  }

  return {
    get(key, now) {
      const known = kept.get(key)
      if (!known) return undefined
      drop(key)
      if (known.until <= now) return undefined
      // The newest stand last.
      kept.set(key, known)
      letters += key.length + known.response.text.length
      return { response: known.response, origin: known.origin, remainingMs: known.until - now }
    },
    set(key, { response, origin }, lifetimeMs, now) {
      drop(key)
      const size = key.length + response.text.length
      if (size > mostLetters || lifetimeMs <= 0) return
      for (const oldest of kept.keys()) {
        if (letters + size <= mostLetters) break
        drop(oldest)
      }
      kept.set(key, { response, origin, until: now + lifetimeMs })
      letters += size
    },
    drop(prefix, matches) {
      for (const [key, { origin }] of kept) if (key.startsWith(prefix) && matches(origin)) drop(key)
    },
  }
}
