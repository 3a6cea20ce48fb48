import { governance } from '@tutti/governance'
import { type Data, openData } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { bindSubgraph, createKms, createLog } from '@tutti/runtime'
import { type Actor, type EventData, type EventRecord, fail } from '@tutti/schema'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Consumer, startConsumer } from './start-consumer.ts'

const log = createLog('test', 'silent')
const PATIENCE = { timeout: 20_000, interval: 20 }

let world: TestDatabase
let owner: pg.Client
let actor: Actor
const open: AsyncDisposable[] = []

beforeEach(async () => {
  world = await openTestDatabase()
  owner = new pg.Client({ connectionString: world.url })
  await owner.connect()
  actor = await world.organization()
})
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]()
  await owner.end()
  await world[Symbol.asyncDispose]()
})

/** What another process would have: its own pools, its own tail. */
async function process(): Promise<Data> {
  const data = await openData({ url: world.url, secret: world.secret })
  open.push(data)
  return data
}

/** A consumer in a process, which writes down whose turn it was. */
function consume(data: Data, by: string, handled: string[], before?: (event: EventRecord) => void) {
  const consumer = startConsumer(
    data,
    {
      name: 'under-test',
      failing: 'put_aside',
      async handle(events) {
        for (const event of events) {
          before?.(event)
          const { articleId } = event.data as EventData<'knowledge.published'>
          handled.push(`${by}:${articleId}`)
        }
      },
    },
    log,
  )
  open.push(consumer)
  return consumer
}

const publish = (articleId: string, as = actor) =>
  world.database.inTenant(as, (tx) =>
    tx.appendEvent({
      type: 'knowledge.published',
      subject: `article/${articleId}`,
      data: { articleId, title: articleId },
    }),
  )
const who = (entries: string[]) => [...new Set(entries.map((entry) => entry.split(':')[0]))]
const what = (entries: string[]) => entries.map((entry) => entry.split(':')[1])
const position = async () =>
  (await owner.query(`select seq from log.consumer where name = 'under-test'`)).rows[0]?.seq
const end = async () => (await owner.query('select max(seq) as seq from log.event')).rows[0]?.seq
const leaders = async () =>
  (
    await owner.query<{ pid: number }>(
      `select pid from pg_locks where locktype = 'advisory' and granted
         and database = (select oid from pg_database where datname = current_database())
         and ((classid::bigint << 32) | objid::bigint) = hashtextextended('under-test', 7)`,
    )
  ).rows

test('of two processes exactly one consumes; when its connection breaks, one goes on with nothing lost or twice', async () => {
  const handled: string[] = []
  consume(await process(), 'a', handled)
  consume(await process(), 'b', handled)
  await publish('1')
  await publish('2')
  await vi.waitFor(() => expect(what(handled)).toEqual(['1', '2']), PATIENCE)
  expect(who(handled)).toHaveLength(1)
  const [leader, ...others] = await leaders()
  expect(others).toEqual([])
  await vi.waitFor(async () => expect(await position()).toBe(await end()), PATIENCE)

  await owner.query('select pg_terminate_backend($1)', [leader?.pid])
  await publish('3')
  await vi.waitFor(() => expect(what(handled)).toEqual(['1', '2', '3']), PATIENCE)
  expect(await leaders()).toHaveLength(1)
  expect((await leaders())[0]?.pid).not.toBe(leader?.pid)
}, 30_000)

test('a process that stops gives way to the one that stands by', async () => {
  const handled: string[] = []
  const first = consume(await process(), 'a', handled)
  await publish('1')
  await vi.waitFor(() => expect(handled).toEqual(['a:1']), PATIENCE)
  consume(await process(), 'b', handled)
  await first[Symbol.asyncDispose]()
  await publish('2')
  await vi.waitFor(() => expect(handled).toEqual(['a:1', 'b:2']), PATIENCE)
}, 30_000)

test('what fails is done again, in its order, and the position is that of what was done', async () => {
  const handled: string[] = []
  let failures = 2
  const data = await process()
  const consumer = consume(data, 'a', handled, () => {
    if (failures-- > 0) throw new Error('not yet')
  })
  await publish('1')
  await vi.waitFor(() => expect(handled).toEqual(['a:1']), PATIENCE)
  expect(failures).toBe(-1)
  await vi.waitFor(async () => expect(await position()).toBe(await end()), PATIENCE)

  // It stops, the log goes on, somebody starts anew: from where it stood, with nothing twice.
  await consumer[Symbol.asyncDispose]()
  await publish('2')
  consume(data, 'again', handled)
  await vi.waitFor(() => expect(handled).toEqual(['a:1', 'again:2']), PATIENCE)
}, 30_000)

test('who stops while its handler fails does not lose the event', async () => {
  const handled: string[] = []
  const data = await process()
  let tried = 0
  const consumer = consume(data, 'a', handled, () => {
    tried += 1
    throw new Error('never')
  })
  await publish('1')
  await vi.waitFor(() => expect(tried).toBeGreaterThan(1), PATIENCE)
  await consumer[Symbol.asyncDispose]()
  consume(data, 'b', handled)
  await vi.waitFor(() => expect(handled).toEqual(['b:1']), PATIENCE)
}, 30_000)

test('consumers take none of the connections that the engine works with', async () => {
  const data = await process()
  const begun: string[] = []
  const pool = data.database.pool('worker')
  const names = Array.from({ length: pool.options.max }, (_, index) => `consumer-${index}`)
  for (const name of names)
    open.push(
      startConsumer(
        data,
        { name, failing: 'put_aside', handle: async () => {}, begin: () => begun.push(name) },
        log,
      ),
    )
  await vi.waitFor(() => expect(begun.toSorted()).toEqual(names), PATIENCE)
  const all = await Promise.all(names.map(() => pool.connect()))
  for (const client of all) client.release()
  expect(all).toHaveLength(pool.options.max)
}, 30_000)

test('what comes while it gathers is handled together, in order and once', async () => {
  const pages: string[][] = []
  const titles = (events: readonly EventRecord[]) =>
    events.map(({ data }) => (data as EventData<'knowledge.published'>).articleId)
  open.push(
    startConsumer(
      await process(),
      {
        name: 'under-test',
        failing: 'put_aside',
        gatherMs: 500,
        handle: async (events) => void pages.push(titles(events)),
      },
      log,
    ),
  )
  await expect.poll(leaders, PATIENCE).toHaveLength(1)
  const published = Array.from({ length: 20 }, (_, index) => `article-${index}`)
  for (const article of published) await publish(article)
  await expect.poll(() => pages.flat(), PATIENCE).toEqual(published)
  expect(pages.length).toBeLessThan(published.length)
  await expect.poll(position, PATIENCE).toEqual(await end())
})

describe('what fails for good', () => {
  const articleOf = ({ data }: EventRecord) => (data as EventData<'knowledge.published'>).articleId
  const thrown = (code?: string) => (): never => {
    throw Object.assign(new Error('secret'), { code })
  }

  /** A consumer that fails at articles for as long as `failures` has them. */
  function consumeBut(data: Data, failures: Map<string, () => never>, failing: Consumer['failing']) {
    const handled: string[] = []
    async function handle(events: readonly EventRecord[]): Promise<void> {
      for (const event of events) {
        if (event.type !== 'knowledge.published') continue
        failures.get(articleOf(event))?.()
        handled.push(articleOf(event))
      }
    }
    const settings = { pausesMs: [10, 10], lookMs: 50 }
    open.push(startConsumer(data, { name: 'under-test', failing, gatherMs: 20, handle }, log, settings))
    return handled
  }
  const aside = async () =>
    (
      await owner.query(
        'select organization_id as of, status, code, message, tries from put_aside_event order by seq',
      )
    ).rows
  const count = async (what: string, of: string): Promise<number> =>
    (await owner.query(`select count(*)::int as n from ${what} and organization_id = $1`, [of])).rows[0]?.n

  test('of one tenant is put aside with an incident, all others go on, and it is handled once more when somebody says so', async () => {
    const [mine, other] = [actor.organizationId, await world.organization()]
    const data = await process()
    const failures = new Map([
      ['bad', () => fail('BAD_INPUT', { message: 'Too large.' })],
      ['worse', thrown('54000')],
      ['odd', thrown()],
    ])
    const handled = consumeBut(data, failures, 'put_aside')
    for (const article of ['1', 'bad', '2', 'worse']) await publish(article)
    for (const article of ['3', 'odd', '4', '5']) await publish(article, other)
    const others = ['1', '2', '3', '4', '5']
    await expect.poll(() => [...new Set(handled)].toSorted(), PATIENCE).toEqual(others)
    const refused = { status: 'aside', message: 'The database refuses it.', tries: 1 }
    const unknown = { status: 'aside', code: 'INTERNAL', message: 'Something failed on our side.', tries: 3 }
    await expect.poll(aside, PATIENCE).toEqual([
      { of: mine, ...refused, code: 'BAD_INPUT', message: 'Too large.' },
      { of: mine, ...refused, code: 'SQLSTATE_54000' },
      { of: other.organizationId, ...unknown },
    ])
    expect(await count('incident where true', mine)).toBe(1)
    expect(await count(`log.event where type = 'event.put_aside'`, mine)).toBe(2)

    failures.delete('bad')
    const subgraph = bindSubgraph(governance, { ...data, log, kms: createKms(world) }, log)
    const nodes = 'eventId occurredAt consumer type subject code tries status'
    const listed = await subgraph.execute({
      query: `{ putAsideEvents(first: 1) { nodes { ${nodes} } } }`,
      actor,
    })
    expect(listed.data).toMatchObject({
      putAsideEvents: {
        nodes: [
          {
            eventId: expect.any(String),
            occurredAt: expect.anything(),
            consumer: 'under-test',
            type: 'knowledge.published',
            code: 'SQLSTATE_54000',
            tries: 1,
            status: 'ASIDE',
          },
        ],
      },
    })
    const query = 'mutation { retryPutAsideEvents(input: { consumer: "under-test" }) { count } }'
    expect((await subgraph.execute({ query, actor })).data).toEqual({ retryPutAsideEvents: { count: 2 } })
    const states = async () => (await aside()).map(({ status, tries }) => `${status} ${tries}`)
    await expect.poll(states, PATIENCE).toEqual(['done 1', 'aside 2', 'aside 3'])
    expect(handled.filter((article) => article === 'bad')).toHaveLength(1)
    expect(await count('incident where true', mine)).toBe(1)
  }, 40_000)

  test('is waited for by a consumer that may leave out nothing', async () => {
    let left = 2
    const failures = new Map([
      [
        '1',
        () => {
          if (--left === 0) failures.clear()
          return fail('BAD_INPUT')
        },
      ],
    ])
    const handled = consumeBut(await process(), failures, 'wait')
    await publish('1')
    await publish('2')
    await expect.poll(() => handled, PATIENCE).toEqual(['1', '2'])
    expect(await aside()).toEqual([])
  }, 30_000)
})
