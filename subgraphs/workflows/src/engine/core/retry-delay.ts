import { createHash } from 'node:crypto'
import type { RetryPolicy } from '../../definitions/index.ts'

const LONGEST_WAIT_MS = 86_400_000

/**
 * Milliseconds to wait before attempt `attempt` (2 is the first retry): initial × factor^(attempt − 2), at most the
 * policy's maximum, of which the share `jitter` is left to chance: between `(1 − jitter)` times that and all of it. The
 * chance depends on `key` and attempt alone, so that a replay finds the same number. Never before `retryAfterMs`, which
 * is believed up to a day.
 */
export function retryDelay(policy: RetryPolicy, key: string, attempt: number, retryAfterMs = 0): number {
  const { initialDelayMs, factor, maxDelayMs, jitter = 1 } = policy
  const backoff = Math.min(initialDelayMs * factor ** Math.max(0, attempt - 2), maxDelayMs)
  const hash = createHash('sha256').update(`${key}:${attempt}`).digest().readUInt32BE(0)
  const share = 1 - jitter + (jitter * hash) / 0xffff_ffff
  const asked = Number.isFinite(retryAfterMs) ? Math.min(Math.max(0, retryAfterMs), LONGEST_WAIT_MS) : 0
  return Math.round(Math.max(backoff * share, asked))
}
