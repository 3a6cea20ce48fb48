import { expect, test } from 'vitest'
import { limitByAddress } from './limit-by-address.ts'

test('so many a minute from each address, and again in the next', () => {
  let now = 0
  const limit = limitByAddress(2, () => now)
  expect([limit('192.0.2.1'), limit('192.0.2.1'), limit('192.0.2.1')]).toEqual([null, null, 60])
  expect(limit('192.0.2.2')).toBeNull()
  now = 59_001
  expect(limit('192.0.2.1')).toBe(1)
  now = 60_000
  expect([limit('192.0.2.1'), limit('192.0.2.1'), limit('192.0.2.1')]).toEqual([null, null, 60])
})

test('of an IPv6 address the network counts, however it is written', () => {
  const limit = limitByAddress(1, () => 0)
  expect([limit('2001:db8::1'), limit('2001:db8::2'), limit('2001:db8:0:0:5::3')]).toEqual([null, 60, 60])
  expect([limit('2001:db8:0:1::1'), limit('::1'), limit('::2')]).toEqual([null, null, 60])
  expect([limit('::ffff:192.0.2.1'), limit('::ffff:192.0.2.2')]).toEqual([null, null])
})

test('the oldest addresses are forgotten before there are too many', () => {
  const limit = limitByAddress(1, () => 0)
  expect(limit('first')).toBeNull()
  for (let n = 0; n < 20_000; n += 1) limit(`another ${n}`)
  expect(limit('first')).toBeNull()
  expect(limit('another 19999')).toBe(60)
})
