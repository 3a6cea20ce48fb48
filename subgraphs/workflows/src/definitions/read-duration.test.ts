import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DURATION_PATTERN, formatDuration, parseDuration } from './read-duration.ts'

describe('a duration', () => {
  it.each([
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['2w1d', 1_296_000_000],
    ['1.5h', 5_400_000],
    ['500ms', 500],
    ['1m5ms', 60_005],
    ['PT1H30M', 5_400_000],
    ['P1DT0.5S', 86_400_500],
    ['0s', 0],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each(['', '30', 's', '30m1h', 'P1M', 'P1Y', 'PT', '1h 30m', '-5s', '1e3s', '1H'])(
    '%j is none',
    (text) => {
      expect(parseDuration(text)).toBeUndefined()
    },
  )

  it('is written as it is read', () => {
    const pattern = new RegExp(DURATION_PATTERN)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3_660 * 86_400_000 }), (ms) => {
        const text = formatDuration(ms)
        expect(parseDuration(text)).toBe(ms)
        expect(text).toMatch(pattern)
      }),
    )
  })

  it('is never negative or no number, whatever is written', () => {
    const text = fc.string({ unit: fc.constantFrom(...'0159.wdhmsPTWDHMS -') })
    fc.assert(
      fc.property(text, (written) => {
        const ms = parseDuration(written)
        expect(ms === undefined || (Number.isInteger(ms) && ms >= 0)).toBe(true)
      }),
      { numRuns: 1_000 },
    )
  })
})
