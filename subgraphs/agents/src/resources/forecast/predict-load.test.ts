import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type HourOfLoad, predictLoad } from './predict-load.ts'

const WEEK = 168
const NOW = 480_000

/** Busy on working days from 8 to 18, quiet at night and at the end of the week. */
const pattern = (hour: number): number => {
  const [day, time] = [Math.floor(hour / 24) % 7, hour % 24]
  const working = day < 5 && time >= 8 && time < 18
  return working ? 20 + 10 * Math.sin(((time - 8) / 10) * Math.PI) : 3
}
const historyOf = (weeks: number, load: (hour: number) => number): HourOfLoad[] =>
  Array.from({ length: weeks * WEEK }, (_, index) => NOW - weeks * WEEK + index).map((hour) => ({
    hour,
    load: load(hour),
  }))
/** The mean error over a day ahead, as a share of the mean load. */
const errorOf = (history: readonly HourOfLoad[], truth: (hour: number) => number, from = NOW): number => {
  const predicted = predictLoad(history, from, 24)
  const wrong = predicted.reduce((sum, { hour, load }) => sum + Math.abs(load - truth(hour)), 0)
  return wrong / predicted.reduce((sum, { hour }) => sum + truth(hour), 0)
}

describe('a day ahead', () => {
  test('a week that repeats itself is predicted exactly', () => {
    expect(errorOf(historyOf(4, pattern), pattern)).toBeLessThan(1e-9)
    expect(predictLoad(historyOf(4, pattern), NOW, 24).map(({ weeks }) => weeks)).toEqual(Array(24).fill(4))
  })

  test('with a fifth of noise it is wrong by less than 20 % on the mean, at every hour of a week', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -0.2, max: 0.2, noNaN: true }), {
          minLength: 5 * WEEK,
          maxLength: 5 * WEEK,
        }),
        fc.nat(WEEK - 1),
        (noise, ahead) => {
          const noisy = (hour: number) => pattern(hour) * (1 + (noise[hour - NOW + 4 * WEEK] ?? 0))
          const history = historyOf(4, noisy).concat(
            Array.from({ length: ahead }, (_, index) => ({ hour: NOW + index, load: noisy(NOW + index) })),
          )
          expect(errorOf(history, pattern, NOW + ahead)).toBeLessThan(0.2)
        },
      ),
    )
  })

  test('a level that has moved is followed, most in the next hours', () => {
    const moved = (hour: number) => pattern(hour) + (hour >= NOW - 6 ? 10 : 0)
    const [first, ...others] = predictLoad(historyOf(4, moved), NOW, 24)
    expect(first?.load).toBeCloseTo(pattern(NOW) + 9, 6)
    expect(others.at(-1)?.load).toBeLessThan(pattern(NOW + 23) + 1)
  })

  test('recent weeks count more, and what is young is learnt from days', () => {
    const grown = (hour: number) => (hour < NOW - WEEK ? 0 : 10)
    // No level correction: the last hours are as far from the weeks before as all others.
    expect(
      predictLoad(
        historyOf(2, grown).filter(({ hour }) => hour < NOW - 6),
        NOW,
        1,
      )[0]?.load,
    ).toBeCloseTo(10 / 1.7, 6)
    const young = historyOf(1, pattern).filter(({ hour }) => hour >= NOW - 48)
    expect(predictLoad(young, NOW, 1)).toEqual([
      { hour: NOW, weeks: 0, load: expect.closeTo((pattern(NOW - 24) + pattern(NOW - 48)) / 2) },
    ])
    expect(predictLoad([], NOW, 24)).toEqual([])
  })

  test('it is never negative, whatever was', () => {
    const history = fc.array(
      fc.record({ hour: fc.integer({ min: NOW - 700, max: NOW + 10 }), load: fc.nat(1_000) }),
    )
    fc.assert(
      fc.property(history, (hours) => {
        for (const { load } of predictLoad(hours, NOW, 48)) expect(load).toBeGreaterThanOrEqual(0)
      }),
    )
  })
})
