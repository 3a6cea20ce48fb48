import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Rotation, whoIsOnCall } from './who-is-on-call.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const berlin: Rotation = {
  timeZone: 'Europe/Berlin',
  participants: ['ada', 'bob'],
  length: 1,
  unit: 'day',
  handoffTime: '09:00',
  startsOn: '2026-03-27',
}
const at = (rotation: Rotation, time: string): string => whoIsOnCall(rotation, [], new Date(time)).personId

test('turns are handed over at the same time of the wall, before and after the clock changes', () => {
  // Berlin is +01:00 until 29 March 2026, 02:00, and +02:00 after it.
  expect(at(berlin, '2026-03-28T07:59:59Z')).toBe('ada')
  expect(at(berlin, '2026-03-28T08:00:00Z')).toBe('bob')
  expect(at(berlin, '2026-03-29T06:59:59Z')).toBe('bob')
  expect(at(berlin, '2026-03-29T07:00:00Z')).toBe('ada')
  const { from, until } = whoIsOnCall(berlin, [], new Date('2026-03-28T12:00:00Z'))
  expect(until.getTime() - from.getTime()).toBe(23 * HOUR)
})

test('a handover that the clock leaves out is right after it; one that it shows twice is the first', () => {
  const night = { ...berlin, handoffTime: '02:30' }
  const turnOf = (time: string): string => whoIsOnCall(night, [], new Date(time)).from.toISOString()
  expect(turnOf('2026-03-29T12:00:00Z')).toBe('2026-03-29T01:30:00.000Z')
  // 25 October 2026: 02:30 at +02:00 is 00:30Z, and comes again at 01:30Z.
  expect(turnOf('2026-10-25T12:00:00Z')).toBe('2026-10-25T00:30:00.000Z')
})

test('turns of hours are hours, whatever the clock shows', () => {
  const hours: Rotation = { ...berlin, unit: 'hour', length: 12 }
  const { from, until } = whoIsOnCall(hours, [], new Date('2026-03-29T01:30:00Z'))
  expect(until.getTime() - from.getTime()).toBe(12 * HOUR)
})

const rotations = fc.record({
  timeZone: fc.constantFrom(
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'Asia/Kolkata',
    'UTC',
  ),
  participants: fc.uniqueArray(fc.string({ minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 }),
  length: fc.integer({ min: 1, max: 14 }),
  unit: fc.constantFrom('day' as const, 'hour' as const),
  handoffTime: fc
    .tuple(fc.nat(23), fc.nat(59))
    .map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`),
  startsOn: fc.constantFrom('2026-01-05', '2026-03-27', '2026-10-24', '2024-02-29'),
})
const moments = fc.date({
  min: new Date('2023-01-01T00:00:00Z'),
  max: new Date('2029-01-01T00:00:00Z'),
  noInvalidDate: true,
})

test('exactly one is on call at each moment: a turn holds it, and the next begins where it ends', () => {
  fc.assert(
    fc.property(rotations, moments, (rotation, moment) => {
      const now = whoIsOnCall(rotation, [], moment)
      expect(rotation.participants).toContain(now.personId)
      expect(now.from <= moment && moment < now.until).toBe(true)
      const last = whoIsOnCall(rotation, [], new Date(now.until.getTime() - 1))
      expect([last.personId, last.from, last.until]).toEqual([now.personId, now.from, now.until])
      const next = whoIsOnCall(rotation, [], now.until)
      expect(next.from).toEqual(now.until)
      const place = rotation.participants.indexOf(now.personId)
      expect(next.personId).toBe(rotation.participants[(place + 1) % rotation.participants.length])
    }),
    { numRuns: 60 },
  )
})

test('everybody has as many turns as everybody else', () => {
  fc.assert(
    fc.property(rotations, moments, fc.integer({ min: 1, max: 4 }), (rotation, moment, rounds) => {
      const turns = new Map<string, number>()
      let now = whoIsOnCall(rotation, [], moment)
      for (let turn = 0; turn < rounds * rotation.participants.length; turn += 1) {
        turns.set(now.personId, (turns.get(now.personId) ?? 0) + 1)
        now = whoIsOnCall(rotation, [], now.until)
      }
      expect([...turns.values()]).toEqual(rotation.participants.map(() => rounds))
    }),
    { numRuns: 30 },
  )
})

test('an override that holds wins, the last of several, and nobody else is moved by it', () => {
  const spans = fc.array(
    fc.record({ start: fc.integer({ min: -5, max: 5 }), days: fc.integer({ min: 1, max: 4 }) }),
    { maxLength: 5 },
  )
  fc.assert(
    fc.property(rotations, moments, spans, (rotation, moment, each) => {
      const overrides = each.map(({ start, days }, index) => ({
        id: `o${index}`,
        personId: `stand-in-${index}`,
        startsAt: new Date(moment.getTime() + start * DAY),
        endsAt: new Date(moment.getTime() + (start + days) * DAY),
      }))
      const holding = overrides.filter(({ startsAt, endsAt }) => startsAt <= moment && moment < endsAt)
      const now = whoIsOnCall(rotation, overrides, moment)
      const expected = holding.at(-1)
      if (expected) expect([now.personId, now.overrideId]).toEqual([expected.personId, expected.id])
      else expect(now).toEqual(whoIsOnCall(rotation, [], moment))
    }),
    { numRuns: 60 },
  )
})
