import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startHeart } from './heart.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A heart with a limit, to which signs of life come both ways. */
function listen(limitMs: number | undefined) {
  let heard: number | null = null
  let asked = 0
  const silent: number[] = []
  const errors: unknown[] = []
  const began = performance.now()
  let breaks = false
  const heart = startHeart({
    limit: async () => {
      asked += 1
      if (breaks) throw new Error('no database')
      return limitMs
    },
    outside: async () => (heard === null ? null : performance.now() - heard),
    onSilent: () => silent.push(performance.now() - began),
    onError: (error) => errors.push(error),
  })
  return {
    heart,
    silent,
    errors,
    asked: () => asked,
    fail: (value: boolean) => (breaks = value),
    hear: () => (heard = performance.now()),
  }
}

const gaps = fc.array(fc.record({ ms: fc.integer({ min: 1, max: 900 }), outside: fc.boolean() }))

test('it is silent exactly when nothing was heard, from inside or outside, for as long as its limit', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 100, max: 800 }), gaps, async (limitMs, signs) => {
      const { heart, silent, hear } = listen(limitMs)
      let at = 0
      let expected: number | undefined
      for (const { ms, outside } of signs) {
        // A sign at the very moment is as good as too late.
        if (ms >= limitMs) expected ??= at + limitMs
        await vi.advanceTimersByTimeAsync(ms)
        at += ms
        if (outside) hear()
        else heart.beat()
      }
      await vi.advanceTimersByTimeAsync(2_000)
      expected ??= at + limitMs
      expect(silent).toHaveLength(1)
      // Looked first after 100 ms, and a timer has whole milliseconds.
      expect(silent[0]).toBeGreaterThanOrEqual(expected)
      expect(silent[0]).toBeLessThanOrEqual(expected + 2)
      heart[Symbol.dispose]()
    }),
  )
})

test('a step without a limit is asked once and left alone; one that is over before is not asked', async () => {
  const without = listen(undefined)
  await vi.advanceTimersByTimeAsync(60_000)
  expect([without.asked(), without.silent]).toEqual([1, []])
  const quick = listen(100)
  await vi.advanceTimersByTimeAsync(99)
  quick.heart[Symbol.dispose]()
  await vi.advanceTimersByTimeAsync(60_000)
  expect([quick.asked(), quick.silent]).toEqual([0, []])
  expect(vi.getTimerCount()).toBe(0)
})

test('what cannot be asked is asked again, and nobody is silent meanwhile', async () => {
  const { heart, silent, errors, fail } = listen(200)
  fail(true)
  await vi.advanceTimersByTimeAsync(5_000)
  expect(silent).toEqual([])
  expect(errors.length).toBeGreaterThan(1)
  fail(false)
  await vi.advanceTimersByTimeAsync(5_000)
  expect(silent).toHaveLength(1)
  heart[Symbol.dispose]()
})
