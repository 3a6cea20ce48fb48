import fc from 'fast-check'
import { expect, test } from 'vitest'
import { GRACE_MS, type MissedPolicy, MOST_COUNTED, planDue } from './plan-due.ts'
import { readSchedule, type Schedule } from './schedule.ts'

function schedule(cron: string): Schedule {
  const read = readSchedule(cron, 'Europe/Berlin')
  if (!read.ok) throw new Error(read.message)
  return read.schedule
}

const times = ({ fire }: ReturnType<typeof planDue>): string[] => fire.map(({ at }) => at.toISOString())
const policy = (missed: MissedPolicy['missed'], catchUp = 100): MissedPolicy => ({ missed, catchUp })
const plan = (each: MissedPolicy, from: string, now: string, cron = '0 * * * *') =>
  planDue(schedule(cron), each, new Date(from), new Date(now))

test('a time within the minute fires whatever the policy', () => {
  for (const missed of ['skip', 'once', 'all'] as const) {
    expect(plan(policy(missed), '2026-05-01T10:00:00Z', '2026-05-01T10:00:59.999Z')).toEqual({
      fire: [{ at: new Date('2026-05-01T10:00:00Z'), missed: 0 }],
      skipped: null,
      next: new Date('2026-05-01T11:00:00Z'),
    })
  }
})

test('missed times are skipped, collapse into the last, or all fire, the latest of them, oldest first', () => {
  const [from, now] = ['2026-05-01T06:00:00Z', '2026-05-01T10:30:00Z']
  expect(plan(policy('skip'), from, now)).toMatchObject({
    fire: [],
    skipped: { at: new Date('2026-05-01T10:00:00Z'), missed: 4 },
  })
  expect(plan(policy('once'), from, now)).toMatchObject({
    fire: [{ at: new Date('2026-05-01T10:00:00Z'), missed: 4 }],
    skipped: null,
  })
  expect(times(plan(policy('all'), from, now))).toEqual(
    [6, 7, 8, 9, 10].map((hour) => `2026-05-01T${String(hour).padStart(2, '0')}:00:00.000Z`),
  )
  const bounded = plan(policy('all', 2), from, now)
  expect(times(bounded)).toEqual(['2026-05-01T09:00:00.000Z', '2026-05-01T10:00:00.000Z'])
  expect(bounded.skipped).toEqual({ at: new Date('2026-05-01T08:00:00Z'), missed: 2 })
})

test('of a month of missed seconds no more is counted than is good', () => {
  const seconds = plan(policy('once'), '2026-05-01T00:00:00Z', '2026-06-01T00:00:00Z', '* * * * * *')
  expect(seconds.fire[0]).toMatchObject({ missed: MOST_COUNTED })
  expect(seconds.fire).toHaveLength(1 + GRACE_MS / 1_000)
})

test('whoever looks and when, every time is accounted for once, and only what was missed goes by the policy', () => {
  const START = Date.parse('2026-03-28T20:00:00Z')
  fc.assert(
    fc.property(
      fc.constantFrom('*/10 * * * *', '30 2 * * *', '*/50 * * * * *', '0 1,2,3 * * *', '7 * * * *'),
      fc.constantFrom(policy('skip'), policy('once'), policy('all', 3), policy('all', 1_000)),
      fc.array(fc.integer({ min: 1, max: 7_200_000 }), { minLength: 1, maxLength: 8 }),
      (cron, each, waits) => {
        const { after } = schedule(cron)
        let next = after(new Date(START))
        let now = START
        let accounted = 0
        const fired: number[] = []
        for (const wait of waits) {
          now += wait
          if (!next || next.getTime() > now) continue
          const due = planDue(schedule(cron), each, next, new Date(now))
          for (const { at, missed } of due.fire) {
            fired.push(at.getTime())
            accounted += 1 + missed
            // A late one fires by the policy alone.
            if (at.getTime() <= now - GRACE_MS) expect(each.missed).not.toBe('skip')
          }
          if (due.skipped) {
            accounted += 1 + due.skipped.missed
            expect(due.skipped.at.getTime()).toBeLessThanOrEqual(now - GRACE_MS)
          }
          const late = due.fire.filter(({ at }) => at.getTime() <= now - GRACE_MS)
          expect(late.length).toBeLessThanOrEqual({ skip: 0, once: 1, all: each.catchUp }[each.missed])
          next = due.next
        }
        const all: number[] = []
        for (let at = after(new Date(START)); at && at.getTime() <= now; at = after(at))
          all.push(at.getTime())
        const isMet = all.length === 0 || (next !== null && next.getTime() > now)
        expect(isMet).toBe(true)
        expect(accounted).toBe(all.length)
        expect(fired).toEqual([...new Set(fired)].sort((a, b) => a - b))
        expect(fired.filter((at) => !all.includes(at))).toEqual([])
      },
    ),
    { numRuns: 60 },
  )
})
