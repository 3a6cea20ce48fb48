import fc from 'fast-check'
import { expect, test } from 'vitest'
import { costOf } from './cost-of.ts'
import { createWindow, type NotedCall } from './model-window.ts'

const START = 1_800_000_000_000
const call = (more: Partial<NotedCall> = {}): NotedCall => ({
  modelId: 'm',
  at: START,
  tokens: 10,
  latencyMs: 100,
  outcome: 'ok',
  quality: null,
  outUntil: null,
  ...more,
})

test('after fifteen minutes nothing counts, after a minute nothing of it', () => {
  const window = createWindow()
  window.add(call())
  window.add(call({ outcome: 'MODEL_TIMEOUT', latencyMs: 30_000 }))
  expect(window.read(START)).toMatchObject({ calls: 2, failures: 1, latencyMs: 100, requestsInMinute: 2 })
  expect(window.read(START + 59_999)).toMatchObject({ requestsInMinute: 2, tokensInMinute: 20 })
  expect(window.read(START + 61_000)).toMatchObject({ calls: 2, requestsInMinute: 0, tokensInMinute: 0 })
  expect(window.read(START + 15 * 60_000 - 15_000)).toMatchObject({ calls: 2 })
  expect(window.read(START + 15 * 60_000)).toMatchObject({ calls: 0, failures: 0, latencyMs: null })
})

test('what is under way is a request of this minute until it is over', () => {
  const window = createWindow()
  const over = window.starting(50)
  expect(window.read(START)).toMatchObject({ requestsInMinute: 1, tokensInMinute: 50, calls: 0 })
  over()
  over()
  expect(window.read(START)).toMatchObject({ requestsInMinute: 0, tokensInMinute: 0 })
})

test('what was asked wrongly is no fault of the model; a success ends a series of failures', () => {
  const window = createWindow()
  for (const outcome of ['MODEL_UNAVAILABLE', 'MODEL_TIMEOUT']) window.add(call({ outcome }))
  expect(window.read(START)).toMatchObject({ failures: 2, failuresOnEnd: 2, lastFailureAt: START })
  window.add(call({ outcome: 'MODEL_REFUSED_REQUEST', at: START + 1 }))
  expect(window.read(START + 1)).toMatchObject({ calls: 3, failures: 2, failuresOnEnd: 0 })
})

test('the window holds what fell into its time, whatever came when', () => {
  const calls = fc.array(
    fc.record({
      at: fc.integer({ min: START, max: START + 40 * 60_000 }),
      failed: fc.boolean(),
      tokens: fc.integer({ min: 0, max: 1_000 }),
    }),
  )
  fc.assert(
    fc.property(calls, (all) => {
      const sorted = all.toSorted((left, right) => left.at - right.at)
      const window = createWindow()
      for (const { at, failed, tokens } of sorted)
        window.add(call({ at, tokens, outcome: failed ? 'MODEL_TIMEOUT' : 'ok' }))
      const now = sorted.at(-1)?.at ?? START
      const within = sorted.filter(({ at }) => Math.floor(at / 15_000) > Math.floor(now / 15_000) - 60)
      const minute = sorted.filter(({ at }) => Math.floor(at / 1_000) >= Math.floor(now / 1_000) - 60)
      expect(window.read(now)).toMatchObject({
        calls: within.length,
        failures: within.filter(({ failed }) => failed).length,
        requestsInMinute: minute.length,
        tokensInMinute: minute.reduce((sum, { tokens }) => sum + tokens, 0),
      })
    }),
  )
})

test('costs are exact: a hundred thousand calls cost a hundred thousand times one', () => {
  const price = { validFrom: new Date(0), inputUsd: '0.100001', outputUsd: '0.3', cachedUsd: '0.025' }
  expect(costOf(price, { input: 10, output: 1, cached: 4 })).toBe('0.000001000006')
  expect(costOf(price, { input: 0, output: 0, cached: 0 })).toBe('0.000000000000')
  expect(costOf({ ...price, inputUsd: '10' }, { input: 1_000_000, output: 0, cached: 0 })).toBe(
    '10.000000000000',
  )
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.nat(1_000_000), fc.nat(1_000_000), (input, output, cached) => {
      const times = (factor: number) =>
        BigInt(
          costOf(price, { input: input * factor, output: output * factor, cached: cached * factor }).replace(
            '.',
            '',
          ),
        )
      expect(times(100)).toBe(times(1) * 100n)
    }),
  )
})
