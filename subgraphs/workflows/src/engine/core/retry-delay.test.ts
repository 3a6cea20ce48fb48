import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { idempotencyKey, retryDelay } from './index.ts'

const policy = { maxAttempts: 10, initialDelayMs: 1_000, factor: 2, maxDelayMs: 60_000 }

describe('the wait before a retry', () => {
  it('doubles up to the maximum, less the share that is left to chance', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.integer({ min: 2, max: 200 }),
        fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
        (key, attempt, jitter) => {
          const backoff = Math.min(1_000 * 2 ** (attempt - 2), 60_000)
          const chosen = jitter === undefined ? policy : { ...policy, jitter }
          const delay = retryDelay(chosen, key, attempt)
          expect(delay).toBeGreaterThanOrEqual(Math.floor(backoff * (1 - (jitter ?? 1))))
          expect(delay).toBeLessThanOrEqual(backoff)
          expect(retryDelay(chosen, key, attempt)).toBe(delay)
        },
      ),
    )
  })

  it('differs between runs that failed together', () => {
    expect(
      new Set(Array.from({ length: 50 }, (_, run) => retryDelay(policy, `run-${run}`, 5))).size,
    ).toBeGreaterThan(40)
  })

  it('is never shorter than asked, and a day at most', () => {
    expect(retryDelay(policy, 'k', 2, 5_000)).toBe(5_000)
    expect(retryDelay(policy, 'k', 2, Number.MAX_VALUE)).toBe(86_400_000)
    expect(retryDelay(policy, 'k', 2, Number.NaN)).toBeLessThanOrEqual(1_000)
  })
})

describe('an idempotency key', () => {
  it('is the same for the same work, and another for any other', () => {
    const part = fc.string()
    const work = fc.tuple(part, part, part, fc.nat(5))
    fc.assert(
      fc.property(
        work,
        work,
        (a, b) =>
          (idempotencyKey(...a) === idempotencyKey(...b)) === (JSON.stringify(a) === JSON.stringify(b)),
      ),
    )
    expect(idempotencyKey('o', 'r', 'p', 1)).toMatch(/^[0-9a-f]{64}$/)
    expect(idempotencyKey('a', 'bc', 'd', 1)).not.toBe(idempotencyKey('ab', 'c', 'd', 1))
  })
})
