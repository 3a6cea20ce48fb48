import { setTimeout as wait } from 'node:timers/promises'
import { cursorOf, type EventRecord } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestDatabase, type TestDatabase } from '../testing/test-database.ts'
import { openTail, type Tail } from './open-tail.ts'

let world: TestDatabase
let tail: Tail

beforeAll(async () => {
  world = await openTestDatabase()
  tail = await openTail(world.database)
})
afterAll(async () => {
  await tail[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

const published = (n: number) =>
  ({
    type: 'knowledge.published',
    subject: `article/${n}`,
    data: { articleId: `${n}`, title: `t${n}` },
  }) as const

async function take(feed: AsyncIterable<EventRecord>, count: number): Promise<EventRecord[]> {
  const events: EventRecord[] = []
  for await (const event of feed) if (events.push(event) === count) break
  return events
}

test('a subscriber that resumes with its cursor misses nothing and sees nothing twice', async () => {
  const actor = await world.organization()
  const append = (from: number, count: number) =>
    world.database.inTenant(actor, (tx) =>
      tx.appendEvents(Array.from({ length: count }, (_, index) => published(from + index))),
    )
  const start = cursorOf(tail.position())
  await append(0, 5)
  const first = await take(tail.subscribe({ organizationId: actor.organizationId }, { after: start }), 3)
  await append(5, 5)
  const cursor = cursorOf(first.at(-1)?.seq ?? 0n)
  const rest = await take(tail.subscribe({ organizationId: actor.organizationId }, { after: cursor }), 7)
  expect([...first, ...rest].map((event) => event.subject)).toEqual(
    Array.from({ length: 10 }, (_, n) => `article/${n}`),
  )
})

test('an event committed late, by a transaction that drew its number early, is not skipped', async () => {
  const actor = await world.organization()
  const feed = tail.subscribe({ organizationId: actor.organizationId }, { after: cursorOf(tail.position()) })
  let release: () => void = () => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  let drawn: () => void = () => undefined
  const drew = new Promise<void>((resolve) => (drawn = resolve))
  const slow = world.database.inTenant(actor, async (tx) => {
    await tx.appendEvent(published(1))
    drawn()
    await held
  })
  await drew
  await world.database.inTenant(actor, (tx) => tx.appendEvent(published(2)))
  release()
  await slow
  expect((await take(feed, 2)).map((event) => event.subject)).toEqual(['article/1', 'article/2'])
})

test('who writes for long and has drawn no number holds nobody', async () => {
  const actor = await world.organization()
  const feed = tail.subscribe({ organizationId: actor.organizationId }, { after: cursorOf(tail.position()) })
  const slow = await world.database.pool('worker').connect()
  try {
    await slow.query('begin; select pg_current_xact_id()')
    await world.database.inTenant(actor, (tx) => tx.appendEvent(published(1)))
    expect((await take(feed, 1)).map((event) => event.subject)).toEqual(['article/1'])
  } finally {
    await slow.query('rollback')
    slow.release()
  }
})

test('numbers that were drawn in vain hold nobody for long', async () => {
  const actor = await world.organization()
  const feed = tail.subscribe({ organizationId: actor.organizationId }, { after: cursorOf(tail.position()) })
  const inVain = world.database.inTenant(actor, async (tx) => {
    await tx.appendEvents([published(1), published(2)])
    throw new Error('changed its mind')
  })
  await expect(inVain).rejects.toThrow('changed its mind')
  await expect.poll(() => tail.position() >= 2n && tail.horizonLagMs() === 0).toBe(true)
  await world.database.inTenant(actor, (tx) => tx.appendEvent(published(3)))
  expect((await take(feed, 1)).map((event) => event.subject)).toEqual(['article/3'])
})

test('however writers come in between each other, every event is seen once and in its order', async () => {
  const actor = await world.organization()
  const [writers, rounds] = [8, 25]
  const seen: bigint[] = []
  const over = new AbortController()
  const { organizationId } = actor
  const after = cursorOf(tail.position())
  const reading = (async () => {
    for await (const { seq } of tail.subscribe({ organizationId }, { after, signal: over.signal }))
      seen.push(seq)
  })()
  // The same pauses every time: what comes of them is the scheduler's.
  let state = 1
  const random = (n: number) => (state = (state * 48_271) % 2_147_483_647) % n
  const write = async (writer: number): Promise<number> => {
    let written = 0
    for (let round = 0; round < rounds; round += 1) {
      const count = 1 + random(3)
      const fails = random(5) === 0
      const transaction = world.database.inTenant(actor, async (tx) => {
        for (let n = 0; n < count; n += 1) {
          await tx.appendEvent(published(writer * 1_000 + round))
          if (random(3) === 0) await wait(random(8))
        }
        if (fails) throw new Error('changed its mind')
      })
      await transaction.catch((error: unknown) => {
        if (!fails) throw error
      })
      if (!fails) written += count
    }
    return written
  }
  const counts = await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))
  const total = counts.reduce((sum, count) => sum + count, 0)
  const rows = await world.database.readTenant<{ seq: bigint }>(
    actor,
    `select seq from log.event where organization_id = $1 order by seq`,
    [actor.organizationId],
  )
  expect(rows).toHaveLength(total)
  await expect.poll(() => seen.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(total)
  over.abort()
  await reading
  expect(seen).toEqual(rows.map(({ seq }) => seq))
})

test('another organization sees none of it', async () => {
  const [mine, other] = [await world.organization(), await world.organization()]
  const start = cursorOf(tail.position())
  await world.database.inTenant(other, (tx) => tx.appendEvent(published(1)))
  await world.database.inTenant(mine, (tx) => tx.appendEvent(published(2)))
  const seen = await take(tail.subscribe({ organizationId: mine.organizationId }, { after: start }), 1)
  expect(seen.map((event) => event.subject)).toEqual(['article/2'])
})

test('the past and the present are of the run and the types that were asked for', async () => {
  const actor = await world.organization()
  const [mine, other] = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002']
  const about = (runId: string) => ({ runId, workflowId: 'w', workflowName: 'w' })
  const append = () =>
    world.database.inTenant(actor, (tx) =>
      tx.appendEvents([
        { type: 'run.started', subject: 'run/other', data: about(other) },
        { type: 'run.started', subject: 'run/mine', data: about(mine) },
        { type: 'run.waiting', subject: 'run/mine', data: about(mine) },
        { type: 'run.cancelled', subject: 'run/mine', data: about(mine) },
        published(1),
      ]),
    )
  const start = cursorOf(tail.position())
  await append()
  const types = ['run.started', 'run.cancelled'] as const
  const filter = { organizationId: actor.organizationId, runId: mine, types }
  const seen = await take(tail.subscribe(filter, { after: start }), 2)
  const pastAndPresent = take(tail.subscribe(filter, { after: start }), 4)
  await append()
  const both = await pastAndPresent
  expect(seen.map(({ type, subject }) => [type, subject])).toEqual([
    ['run.started', 'run/mine'],
    ['run.cancelled', 'run/mine'],
  ])
  expect(both.map(({ type }) => type)).toEqual([...types, ...types])
})
