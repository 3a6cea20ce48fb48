import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { type Actor, TuttiError } from '@tutti/schema'
import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { acquireResource } from './acquire-resource.ts'
import { bookResource } from './book-resource.ts'
import { releaseResource } from './release-resource.ts'
import { renewResource } from './renew-resource.ts'
import { setSharedResource } from './set-shared-resource.ts'
import { settleDueResources } from './settle-due-resources.ts'

let world: TestDatabase
let owner: pg.Pool
beforeAll(async () => {
  world = await openTestDatabase()
  owner = new pg.Pool({ connectionString: world.url })
})
afterAll(async () => {
  await owner.end()
  await world[Symbol.asyncDispose]()
})

const CAPACITY = 5

const act = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('acquire' as const),
      amount: fc.integer({ min: 1, max: CAPACITY }),
      priority: fc.nat(9),
      leaseSeconds: fc.integer({ min: 60, max: 7_200 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('book' as const),
      amount: fc.integer({ min: 1, max: CAPACITY }),
      inMinutes: fc.integer({ min: 5, max: 180 }),
      minutes: fc.integer({ min: 1, max: 120 }),
      queue: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('release' as const), which: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('renew' as const),
      which: fc.nat(),
      leaseSeconds: fc.integer({ min: 60, max: 7_200 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('pass' as const), minutes: fc.integer({ min: 1, max: 90 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('look' as const) }) },
)
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never

interface Row {
  id: string
  status: string
  amount: number
  lease: number | null
  from: number | null
  until: number | null
  fence: number | null
}
const rowsOf = async (actor: Actor): Promise<Row[]> =>
  (
    await owner.query<Row>(
      `select id, status, amount, lease_seconds as lease, extract(epoch from starts_at)::float8 as "from",
         extract(epoch from ends_at)::float8 as until, fence::float8 as fence
       from resource_booking where organization_id = $1 order by order_at, place`,
      [actor.organizationId],
    )
  ).rows

/** As if so much time had passed: everything of the resource lies that much earlier. */
const pass = async (actor: Actor, minutes: number): Promise<void> => {
  const by = `interval '${minutes} minutes'`
  await owner.query(
    `update resource_booking set starts_at = starts_at - ${by}, ends_at = ends_at - ${by}, order_at = order_at - ${by},
       waits_until = waits_until - ${by} where organization_id = $1`,
    [actor.organizationId],
  )
  await owner.query(`update shared_resource set due_at = due_at - ${by} where organization_id = $1`, [
    actor.organizationId,
  ])
}

const EXPECTED = ['CONFLICT', 'STALE_LEASE', 'INVALID_STATE']
const expected = (error: unknown): void => {
  if (!(error instanceof TuttiError) || !EXPECTED.includes(error.code)) throw error
}

async function perform(actor: Actor, step: Act): Promise<void> {
  const ids = await rowsOf(actor)
  if (step.do === 'acquire') {
    const { amount, priority, leaseSeconds } = step
    await acquireResource(world, actor, {
      resource: 'seats',
      amount,
      priority,
      leaseSeconds,
      waitSeconds: 86_400,
    })
  } else if (step.do === 'book') {
    const from = new Date(Date.now() + step.inMinutes * 60_000)
    const to = new Date(from.getTime() + step.minutes * 60_000)
    const { amount, queue } = step
    await bookResource(world, actor, { resource: 'seats', amount, from, to, queue }).catch(expected)
  } else if (step.do === 'release') {
    const row = ids[step.which % Math.max(1, ids.length)]
    if (row) await releaseResource(world, actor, { id: row.id }).catch(expected)
  } else if (step.do === 'renew') {
    const row = ids[step.which % Math.max(1, ids.length)]
    if (row)
      await renewResource(world, actor, {
        id: row.id,
        fence: row.fence ?? 0,
        leaseSeconds: step.leaseSeconds,
      }).catch(expected)
  } else if (step.do === 'pass') await pass(actor, step.minutes)
  else while ((await settleDueResources(world)) > 0);
}

/** What must be so at every moment between two acts. */
async function check(actor: Actor): Promise<void> {
  const { rows } = await owner.query<{ now: number }>(
    'select extract(epoch from clock_timestamp())::float8 as now',
  )
  const now = rows[0]?.now ?? 0
  const all = await rowsOf(actor)
  const taken = all.filter(({ status }) => status === 'held' || status === 'booked')
  for (const moment of [now, ...taken.map(({ from }) => from ?? 0)]) {
    const there = taken.filter((each) => (each.from ?? 0) <= moment && (each.until ?? 0) > moment)
    expect(there.reduce((sum, { amount }) => sum + amount, 0)).toBeLessThanOrEqual(CAPACITY)
  }
  const fences = all.flatMap(({ fence }) => fence ?? [])
  expect(new Set(fences).size).toBe(fences.length)
}

test('whatever is asked, given back and left to expire, never is more held than there is, and fences only grow', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 10, maxLength: 40 }), async (acts) => {
      const actor = await world.organization('admin')
      await setSharedResource(world, actor, { name: 'seats', capacity: CAPACITY })
      // Acts go three at a time.
      for (let at = 0; at < acts.length; at += 3) {
        const [first, ...others] = acts.slice(at, at + 3)
        const together = [first, ...others].flatMap((each) => each ?? [])
        // Time passes alone: its own connection is one.
        for (const each of together.filter((one) => one.do === 'pass')) await perform(actor, each)
        await Promise.all(together.filter((one) => one.do !== 'pass').map((each) => perform(actor, each)))
        await check(actor)
      }
      const { rows: grants } = await owner.query<{ fence: number }>(
        `select (data->>'fence')::int as fence from log.event
         where organization_id = $1 and type = 'resource.granted' order by seq`,
        [actor.organizationId],
      )
      expect(grants.map(({ fence }) => fence)).toEqual(grants.map((_, index) => index + 1))
      // Contention begins, is over, and only then begins again.
      const { rows: contended } = await owner.query<{ n: number }>(
        `select count(*)::int as n from log.event where organization_id = $1 and type = 'resource.contended'`,
        [actor.organizationId],
      )
      const queued = await owner.query(
        `select 1 from log.event where organization_id = $1 and type = 'resource.queued'`,
        [actor.organizationId],
      )
      expect(contended[0]?.n).toBeLessThanOrEqual(queued.rowCount ?? 0)
      // Everybody in line gets it: as each lease runs out, who is next has it, and in this order.
      await owner.query(
        `update resource_booking set waits_until = waits_until + interval '30 days'
         where organization_id = $1 and status = 'queued' and lease_seconds is not null`,
        [actor.organizationId],
      )
      const line = (await rowsOf(actor)).filter((row) => row.status === 'queued' && row.lease !== null)
      for (let round = 0; round < 200; round += 1) {
        while ((await settleDueResources(world)) > 0);
        await check(actor)
        const left = (await rowsOf(actor)).filter((row) => row.status === 'queued' && row.lease !== null)
        if (left.length === 0) break
        await pass(actor, 60)
      }
      const ends = await rowsOf(actor)
      const fencesInLine = line.map(({ id }) => ends.find((row) => row.id === id)?.fence ?? null)
      expect(fencesInLine).not.toContain(null)
      expect(fencesInLine).toEqual(fencesInLine.toSorted((a, b) => (a ?? 0) - (b ?? 0)))
    }),
    { numRuns: 15, endOnFailure: true },
  )
}, 60_000)

test('50 at once for one: one has it, the others have it one after another in line', async () => {
  const actor = await world.organization('admin')
  await setSharedResource(world, actor, { name: 'seats', capacity: 1 })
  const asked = await Promise.all(
    Array.from({ length: 50 }, () => acquireResource(world, actor, { resource: 'seats' })),
  )
  expect(asked.filter(({ booking }) => booking.status === 'held')).toHaveLength(1)
  const inLine = await rowsOf(actor)
  for (const { id } of inLine) await releaseResource(world, actor, { id })
  expect((await rowsOf(actor)).map(({ fence }) => fence)).toEqual(inLine.map((_, index) => index + 1))
  const { rowCount } = await owner.query(
    `select 1 from log.event where organization_id = $1 and type = 'resource.contended'`,
    [actor.organizationId],
  )
  expect(rowCount).toBe(1)
})
