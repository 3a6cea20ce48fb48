import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  bytesOf,
  coresOf,
  countOf,
  dollarsOf,
  parseQuantity,
  percentOf,
  secondsOf,
  shareOf,
} from './quantity.ts'

test.each([
  ['70%', 0.7],
  [0.7, 0.7],
  ['0.25', 0.25],
  ['70 %', 0.7],
  ['70 percent', undefined],
  ['', undefined],
  ['%', undefined],
  [Number.NaN, undefined],
])('as a share, %s is %s', (written, share) => expect(shareOf(written)).toBe(share))

test.each([
  ['100_messages', 100],
  ['1_message', 1],
  ['1_000_messages', 1000],
  ['1_000', 1000],
  [7, 7],
  ['100_tasks', undefined],
  ['10_00', undefined],
  ['1e3', undefined],
  ['constructor', undefined],
])('as a number of messages, %s is %s', (written, count) =>
  expect(countOf(written, ['messages'])).toBe(count),
)

test.each([
  ['5_seconds', 5],
  ['1_second', 1],
  ['30s', 30],
  ['500ms', 0.5],
  ['2 minutes', 120],
  ['1h', 3600],
  ['1h30m', 5400],
  ['PT5M', 300],
  ['2d', 172_800],
  [45, 45],
  ['2000m', 120_000],
  ['soon', undefined],
  ['P1M', undefined],
])('as a duration, %s is %s seconds', (written, seconds) => expect(secondsOf(written, 1)).toBe(seconds))

test('a bare number has the unit of its key', () => {
  expect([secondsOf(30, 60), secondsOf('30', 60), secondsOf('30s', 60)]).toEqual([1800, 1800, 30])
})

test.each([
  ['2000m', 2],
  ['500m', 0.5],
  [2, 2],
  ['2 cores', undefined],
])('as processor cores, %s is %s', (written, cores) => expect(coresOf(written)).toBe(cores))

test.each([
  ['4Gi', 4_294_967_296],
  ['512Mi', 536_870_912],
  ['4G', 4_000_000_000],
  ['1.5KiB', 1536],
  [1024, 1024],
  ['4Qi', undefined],
])('as memory, %s is %s bytes', (written, bytes) => expect(bytesOf(written)).toBe(bytes))

test('money and percentages', () => {
  expect([dollarsOf(50), dollarsOf('50 USD'), dollarsOf('49.5$'), dollarsOf('50 EUR')]).toEqual([
    50,
    50,
    49.5,
    undefined,
  ])
  expect([percentOf('10%'), percentOf(10), percentOf('10 points')]).toEqual([10, 10, undefined])
})

test('a quantity reads back what was written, and nothing else', () => {
  const unit = fc.constantFrom('', '%', 'm', 'Gi', 'messages', 's')
  fc.assert(
    fc.property(
      fc.integer({ min: -1e9, max: 1e9 }),
      unit,
      fc.constantFrom('', ' ', '_'),
      (amount, of, between) => {
        const text = `${amount}${of === '' ? '' : between}${of}`
        expect(parseQuantity(text)).toEqual({ amount, unit: of })
      },
    ),
  )
  fc.assert(
    fc.property(fc.string(), (text) => {
      const quantity = parseQuantity(text)
      if (quantity) expect(Number.isFinite(quantity.amount)).toBe(true)
      else expect(text).not.toMatch(/^\d+(%|m|Gi)?$/)
    }),
  )
})
