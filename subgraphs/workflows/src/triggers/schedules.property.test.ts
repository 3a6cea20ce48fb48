import type { Actor } from '@tutti/schema'
import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { GRACE_MS } from './plan-due.ts'
import { readSchedule } from './schedule.ts'
import { scheduleDueTriggers } from './schedule-due-triggers.ts'
import { startDueFirings } from './start-due-firings.ts'
import { openTriggerWorld, type TriggerWorld } from './testing/trigger-world.ts'

let world: TriggerWorld
let owner: pg.Pool
let actor: Actor
let workflowId: string

beforeAll(async () => {
  world = await openTriggerWorld()
  owner = new pg.Pool({ connectionString: world.test.url, max: 2 })
  actor = await world.organization()
  workflowId = await world.workflow(actor)
})
afterAll(async () => {
  await owner.end()
  await world[Symbol.asyncDispose]()
})

/** The last Sunday of March in Berlin, when the clocks leave an hour out, is four hours ahead. */
const START = Date.parse('2026-03-28T21:00:00Z')
const MINUTE = 60_000

const CRONS = [
  '*/10 * * * *',
  '30 2 * * *',
  '0 * * * *',
  '0,30 1-4 * * *',
  '*/40 * * * * *',
  '15 3 * * 0',
] as const
const ZONES = ['Europe/Berlin', 'UTC', 'America/New_York', 'Asia/Kolkata'] as const

const act = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('look' as const), wait: fc.integer({ min: 1, max: 90 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('race' as const), wait: fc.integer({ min: 1, max: 90 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('die' as const), wait: fc.integer({ min: 1, max: 90 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('pause' as const), wait: fc.integer({ min: 1, max: 90 }) }),
  },
)
const triggerOf = fc.record({
  cron: fc.constantFrom(...CRONS),
  timeZone: fc.constantFrom(...ZONES),
  missed: fc.constantFrom('SKIP', 'ONCE', 'ALL'),
  jitterSeconds: fc.constantFrom(0, 0, 300),
})

/** What the test knows of a trigger without asking the platform. */
interface Model {
  id: string
  missed: string
  catchUp: number
  after: (time: Date) => Date | null
  /** Its times that were to come, up to now. */
  times: number[]
  since: number
}

const CATCH_UP = 4

async function make({ cron, timeZone, missed, jitterSeconds }: Record<string, unknown>): Promise<Model> {
  const catchUp = missed === 'ALL' ? { catchUp: CATCH_UP } : {}
  const input = { workflowId, kind: 'SCHEDULE', cron, timeZone, missed, jitterSeconds, ...catchUp }
  const { id } = await world.trigger(actor, { ...input, expressions: { at: 'scheduledAt' } })
  const read = readSchedule(String(cron), String(timeZone))
  if (!read.ok) throw new Error(read.message)
  const model = {
    id,
    missed: String(missed),
    catchUp: CATCH_UP,
    after: read.schedule.after,
    times: [],
    since: START,
  }
  await setNext(model, START)
  return model
}

/** The mutations take the database's clock; the test has one of its own. */
const setNext = ({ id, after }: Model, now: number) =>
  owner.query('update trigger set next_at = $2 where id = $1', [id, after(new Date(now))])

test('every time of every schedule is accounted for once, whoever looks, dies or pauses, and each firing is one run', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(triggerOf, { minLength: 1, maxLength: 4 }),
      fc.array(act, { minLength: 1, maxLength: 8 }),
      async (triggers, acts) => {
        await owner.query('delete from trigger')
        await owner.query('delete from strand; delete from task; delete from run')
        const models = []
        for (const each of triggers) models.push(await make(each))
        let now = START
        for (const { do: what, wait } of acts) {
          now += wait * MINUTE + 1
          const at = new Date(now)
          const look = async () => {
            await scheduleDueTriggers(world.database, at)
            await startDueFirings(world.services, at)
          }
          if (what === 'look' || what === 'pause') await look()
          if (what === 'race') await Promise.all([look(), look(), look()])
          if (what === 'die') {
            // One is gone after it noted the firings, one after it took them.
            await scheduleDueTriggers(world.database, at)
            await owner.query(
              `update trigger_firing set due_at = due_at + interval '15 seconds', attempts = 1 where due_at <= $1`,
              [at],
            )
            await Promise.all([look(), look()])
          }
          for (const model of models) note(model, now)
          if (what === 'pause') {
            const [first] = models
            if (!first) continue
            await owner.query(`update trigger set status = 'paused', next_at = null where id = $1`, [
              first.id,
            ])
            now += 3 * 60 * MINUTE
            await owner.query(`update trigger set status = 'active' where id = $1`, [first.id])
            await setNext(first, now)
            first.since = now
          }
        }
        // Everybody looks once more, after every jitter and every lease.
        const end = new Date(now)
        await scheduleDueTriggers(world.database, end)
        for (let turn = 0; turn < 3; turn++)
          await startDueFirings(world.services, new Date(now + 600_000 + turn * 600_000))
        for (const model of models) {
          note(model, now)
          await check(model)
        }
      },
    ),
    { numRuns: 40 },
  )
}, 120_000)

/** The times that came since the last look. */
function note(model: Model, now: number): void {
  for (let at = model.after(new Date(model.since)); at && at.getTime() <= now; at = model.after(at))
    model.times.push(at.getTime())
  model.since = now
}

async function check({ id, missed, times }: Model): Promise<void> {
  const firings = await world.firings(actor, id)
  const runs = (await world.runs(actor)).filter(({ triggerId }) => triggerId === id)
  const started = firings.filter(({ status }) => status === 'started')
  expect(firings.filter(({ status }) => !['started', 'skipped'].includes(status))).toEqual([])
  expect(new Set(firings.map(({ occurrence }) => occurrence)).size).toBe(firings.length)
  expect(firings.reduce((sum, firing) => sum + 1 + firing.missed, 0)).toBe(times.length)
  for (const { scheduledAt } of firings) expect(times).toContain(scheduledAt?.getTime())
  // A firing is a run, and a run a firing, with the input of its own time.
  expect(new Set(runs.map(({ id: run }) => run))).toEqual(new Set(started.map(({ runId }) => runId)))
  expect(runs).toHaveLength(started.length)
  expect(new Set(runs.map(({ input }) => Reflect.get(Object(input), 'at')))).toEqual(
    new Set(started.map(({ occurrence }) => occurrence)),
  )
  if (missed === 'ONCE') expect(firings.filter(({ status }) => status === 'skipped')).toEqual([])
  if (missed === 'SKIP') expect(started.filter((firing) => firing.missed > 0)).toEqual([])
  if (missed === 'ALL') expect(started.filter((firing) => firing.missed > 0)).toEqual([])
}

test('a schedule that is looked at within the minute fires at each of its times, whatever its policy', async () => {
  for (const missed of ['SKIP', 'ONCE', 'ALL']) {
    const model = await make({ cron: '* * * * *', timeZone: 'UTC', missed, jitterSeconds: 0 })
    for (let turn = 1; turn <= 6; turn++) {
      const now = new Date(START + turn * (GRACE_MS - 1))
      await scheduleDueTriggers(world.database, now)
      await startDueFirings(world.services, now)
    }
    const firings = await world.firings(actor, model.id)
    expect(firings.map(({ status, missed: others }) => [status, others])).toEqual(
      Array.from({ length: 5 }, () => ['started', 0]),
    )
    await owner.query('delete from trigger where id = $1', [model.id])
  }
})

test('one trigger that can start nothing holds up no other, and is tried again until it can', async () => {
  await owner.query('delete from trigger')
  const draft = await world.workflow(actor)
  await owner.query('update workflow set published_version = null where id = $1', [draft])
  const input = { kind: 'SCHEDULE', cron: '0 * * * *' }
  const { id: stuck } = await world.trigger(actor, { ...input, workflowId: draft })
  const { id: fine } = await world.trigger(actor, { ...input, workflowId })
  await owner.query('update trigger set next_at = $1 where id = any($2::uuid[])', [
    new Date('2026-03-28T22:00:00Z'),
    [stuck, fine],
  ])
  const now = new Date('2026-03-28T22:00:01Z')
  await scheduleDueTriggers(world.database, now)
  await startDueFirings(world.services, now)
  expect(await world.firings(actor, fine)).toMatchObject([{ status: 'started' }])
  expect(await world.firings(actor, stuck)).toMatchObject([
    { status: 'failed', error: { code: 'INVALID_STATE' } },
  ])

  // What fails on our side is no answer: it is tried again, later each time.
  const { id: later } = await world.trigger(actor, { ...input, workflowId })
  await owner.query('update trigger set next_at = $1 where id = $2', [
    new Date('2026-03-28T22:00:00Z'),
    later,
  ])
  await scheduleDueTriggers(world.database, now)
  const database = Object.create(world.database, {
    transact: { value: () => Promise.reject(new Error('no connection')) },
  })
  await startDueFirings({ ...world.services, database }, now)
  expect(await world.firings(actor, later)).toMatchObject([{ status: 'pending' }])
  expect(await startDueFirings(world.services, new Date(now.getTime() + 14_000))).toBe(0)
  expect(await startDueFirings(world.services, new Date(now.getTime() + 16_000))).toBe(1)
  expect(await world.firings(actor, later)).toMatchObject([{ status: 'started' }])
})
