import { expect, test } from 'vitest'

import { interleave, type Measurement, median, percentile } from './bench.ts'

test('the median of an odd and of an even number of values, in any order', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 3, 2])).toBe(2.5)
  expect(median([])).toBeNaN()
})

test('a percentile is a value that was seen', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index)
  expect(percentile(values, 0.5)).toBe(50)
  expect(percentile(values, 0.99)).toBe(99)
  expect(percentile(values, 1)).toBe(100)
  expect(percentile([7], 0.01)).toBe(7)
})

test('cases take turns, each round in another order, and medians are reported', async () => {
  const order: string[] = []
  const reported: Measurement[] = []
  const one = (name: string, values: number[]) => async () => {
    order.push(name)
    return { throughput: { value: values.shift() ?? 0, unit: 'req/s' } }
  }
  await interleave(
    { quick: false, args: [], report: (measurement) => reported.push(measurement) },
    { a: one('a', [1, 100, 3]), b: one('b', [5, 5, 5]) },
  )
  expect(order.join('')).toBe('abbaab')
  expect(reported).toEqual([
    { case: 'a', metric: 'throughput', value: 3, unit: 'req/s' },
    { case: 'b', metric: 'throughput', value: 5, unit: 'req/s' },
  ])
})

test('quick is one round', async () => {
  let runs = 0
  const measure = async () => ({ n: { value: ++runs, unit: '' } })
  await interleave({ quick: true, args: [], report: () => {} }, { a: measure })
  expect(runs).toBe(1)
})
