import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readSchedule, type Schedule } from './schedule.ts'

function schedule(cron: string, timeZone = 'UTC'): Schedule {
  const read = readSchedule(cron, timeZone)
  if (!read.ok) throw new Error(read.message)
  return read.schedule
}

function timesOf(cron: string, timeZone: string, from: string, until: string): string[] {
  const { after } = schedule(cron, timeZone)
  const times: string[] = []
  for (let at = after(new Date(from)); at && at < new Date(until); at = after(at))
    times.push(at.toISOString())
  return times
}

describe('daylight saving', () => {
  test('a local time that the clocks leave out comes right after the gap', () => {
    expect(timesOf('30 2 * * *', 'Europe/Berlin', '2026-03-28T00:00:00Z', '2026-03-31T00:00:00Z')).toEqual([
      '2026-03-28T01:30:00.000Z',
      '2026-03-29T01:00:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ])
  })

  test('a local time that they repeat comes once', () => {
    expect(timesOf('30 2 * * *', 'Europe/Berlin', '2026-10-24T00:00:00Z', '2026-10-27T00:00:00Z')).toEqual([
      '2026-10-24T00:30:00.000Z',
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ])
  })

  test('an interval goes on in real time', () => {
    const hours = timesOf('0 * * * *', 'America/New_York', '2026-10-31T23:30:00Z', '2026-11-01T23:30:00Z')
    expect(hours).toHaveLength(24)
    expect(
      timesOf('*/30 * * * *', 'America/New_York', '2026-03-08T05:45:00Z', '2026-03-08T08:15:00Z'),
    ).toEqual([
      '2026-03-08T06:00:00.000Z',
      '2026-03-08T06:30:00.000Z',
      '2026-03-08T07:00:00.000Z',
      '2026-03-08T07:30:00.000Z',
      '2026-03-08T08:00:00.000Z',
    ])
  })
})

/** Days in which the clocks change, and one in which they do not. */
const WINDOWS = [
  ['Europe/Berlin', '2026-03-28'],
  ['Europe/Berlin', '2026-10-24'],
  ['America/New_York', '2026-03-07'],
  ['America/New_York', '2026-10-31'],
  ['Australia/Lord_Howe', '2026-04-04'],
  ['Australia/Lord_Howe', '2026-10-03'],
  ['America/Santiago', '2026-04-04'],
  ['America/Santiago', '2026-09-05'],
  ['America/St_Johns', '2026-03-07'],
  ['Asia/Kolkata', '2026-06-01'],
] as const
const MINUTE = 60_000
const DAYS = 2

/** The local clock at every minute of a window, as `YYYY-MM-DD HH:MM`, by nothing but Intl. */
const walls = new Map<string, { at: number; wall: string }[]>()
function wallsOf(zone: string, day: string): { at: number; wall: string }[] {
  const known = walls.get(zone + day)
  if (known) return known
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: zone,
    dateStyle: 'short',
    timeStyle: 'short',
    hourCycle: 'h23',
  })
  const start = Date.parse(`${day}T00:00:00Z`)
  const table = Array.from({ length: (DAYS + 2) * 1440 }, (_, index) => {
    const at = start + (index - 1440) * MINUTE
    return { at, wall: format.format(at) }
  })
  walls.set(zone + day, table)
  return table
}

const pad = (value: number): string => String(value).padStart(2, '0')

/** The first minute at which the local clock shows this or, where it never does, more. */
function firstAt(table: { at: number; wall: string }[], wall: string): number | undefined {
  return (table.find((each) => each.wall === wall) ?? table.find((each) => each.wall > wall))?.at
}

const values = (most: number) =>
  fc.uniqueArray(fc.integer({ min: 0, max: most }), { minLength: 1, maxLength: 3 })
const isOf = (list: number[] | '*', value: number): boolean => list === '*' || list.includes(value)

test('the times of any minute and hour fields are those of a clock that is looked at every minute', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...WINDOWS),
      fc.oneof(values(59), fc.constant('*' as const)),
      fc.oneof(values(5), values(23), fc.constant('*' as const)),
      ([zone, day], minutes, hours) => {
        const table = wallsOf(zone, day)
        const [from, until] = [
          Date.parse(`${day}T00:00:00Z`),
          Date.parse(`${day}T00:00:00Z`) + DAYS * 1440 * MINUTE,
        ]
        const expected = new Set<number>()
        if (minutes === '*' || hours === '*') {
          for (const { at, wall } of table)
            if (isOf(minutes, Number(wall.slice(14, 16))) && isOf(hours, Number(wall.slice(11, 13))))
              expected.add(at)
        } else {
          for (const date of new Set(table.map(({ wall }) => wall.slice(0, 10))))
            for (const hour of hours)
              for (const minute of minutes) {
                const at = firstAt(table, `${date} ${pad(hour)}:${pad(minute)}`)
                if (at !== undefined) expected.add(at)
              }
        }
        const times = timesOf(
          `${[minutes].flat().join()} ${[hours].flat().join()} * * *`,
          zone,
          new Date(from - 1).toISOString(),
          new Date(until).toISOString(),
        )
        expect(times).toEqual(
          [...expected]
            .filter((at) => at >= from && at < until)
            .sort((a, b) => a - b)
            .map((at) => new Date(at).toISOString()),
        )
      },
    ),
    { numRuns: 100 },
  )
})

test('backwards come the same times as forwards', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(
        '*/7 * * * *',
        '30 2 * * *',
        '0 0 1 * *',
        '15 1-3 * * 0',
        '*/20 * * * * *',
        '0 12 L * *',
      ),
      fc.constantFrom(...WINDOWS.map(([zone]) => zone)),
      fc.date({ min: new Date('2024-01-01'), max: new Date('2030-01-01'), noInvalidDate: true }),
      fc.integer({ min: 1, max: 20 }),
      (cron, zone, start, count) => {
        const { after, before } = schedule(cron, zone)
        const forwards: Date[] = []
        for (let at = after(start); at && forwards.length < count; at = after(at)) forwards.push(at)
        const [first, last] = [forwards[0] ?? start, forwards.at(-1) ?? start]
        expect(before(new Date(last.getTime() + 1_000), count + 5, first).toReversed()).toEqual(forwards)
      },
    ),
  )
})

describe('what is no schedule', () => {
  test.each([
    ['* * * *', 'UTC', 'cron'],
    ['61 * * * *', 'UTC', 'cron'],
    ['0 0 30 2 *', 'UTC', 'cron'],
    ['? 0 * * *', 'UTC', 'cron'],
    ['@reboot', 'UTC', 'cron'],
    ['0 0 * * * * 2027', 'UTC', 'cron'],
    ['x'.repeat(500), 'UTC', 'cron'],
    ['@daily', 'Europe/Atlantis', 'timeZone'],
    ['@daily', '+02:00', 'timeZone'],
    ['@daily', '', 'timeZone'],
  ])('%s in %s is refused for its %s', (cron, timeZone, part) => {
    expect(readSchedule(cron, timeZone)).toMatchObject({
      ok: false,
      part,
      message: expect.stringMatching(/\.$/),
    })
  })

  test('any text is read or refused, never thrown at', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.stringMatching(/^[\d*/,#LW -]{1,30}$/)),
        fc.string(),
        (cron, zone) => {
          readSchedule(cron, zone)
          readSchedule(cron, 'UTC')
        },
      ),
    )
  })
})
