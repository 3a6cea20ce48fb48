import { afterAll, beforeAll, expect, test } from 'vitest'
import pg from 'pg'
import { openTestDatabase, type TestDatabase } from '../testing/test-database.ts'

let world: TestDatabase
let owner: pg.Client
beforeAll(async () => {
  world = await openTestDatabase()
  owner = new pg.Client({ connectionString: world.url })
  await owner.connect()
})
afterAll(async () => {
  await owner.end()
  await world[Symbol.asyncDispose]()
})

test('a connection that breaks while somebody holds it fails what they ask next, and nothing else', async () => {
  const actor = await world.organization()
  const held = world.database.transact(actor, async (client) => {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    const gone = new Promise((resolve) => client.once('end', resolve))
    await owner.query('select pg_terminate_backend($1)', [rows[0]?.pid])
    // Without a listener, its 'error' event would end the process here: the runner reports it as a failure.
    await gone
    await client.query('select 1')
  })
  await expect(held).rejects.toThrow(/not queryable|terminat/)
  expect(
    await world.database.transact(actor, async (client) => (await client.query('select 1')).rowCount),
  ).toBe(1)
})

test('what goes with the commit and fails takes all of it back, and the connection is as good as new', async () => {
  const actor = await world.organization()
  const write = (address: string, subject: string) =>
    world.database.inSql(actor, async (tx) => {
      await tx.sql(
        `insert into notification_channel (organization_id, owner_kind, owner, kind, address, set_by)
         values ($1::uuid, 'person', 'p', 'email', $2, '{}')`,
        actor.organizationId,
        address,
      )
      await tx.appendEvent({
        type: 'agent.retired',
        subject,
        data: { agentId: '1', name: 'n' },
      })
    })
  // No text of PostgreSQL's holds a null character: the event, which goes out with the commit, is refused.
  const writes = await Promise.allSettled([write('a', 'x/1'), write('b', 'x/\0'), write('c', 'x/3')])
  expect(writes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  await write('d', 'x/4')
  const { rows } = await owner.query<{ address: string }>(
    'select address from notification_channel where organization_id = $1 order by address',
    [actor.organizationId],
  )
  expect(rows.map(({ address }) => address)).toEqual(['a', 'c', 'd'])
})

test('a statement answers alike whenever it is asked: with rows, without, and after it failed', async () => {
  const actor = await world.organization()
  const asked = (bound: number, divisor = 1) =>
    world.database.inSql(actor, (tx) =>
      tx.sql(
        `select n, case when n > 1 then n::text end as name, array[n / $2::int] as list, to_jsonb(n) as json, n::bigint as long
         from generate_series(1, $1::int) n order by n`,
        bound,
        divisor,
      ),
    )
  const one = { n: 1, name: null, list: [1], json: 1, long: 1n }
  const two = { n: 2, name: '2', list: [2], json: 2, long: 2n }
  // Ten at once are on all connections; the others find what those learnt.
  const answers = await Promise.all(Array.from({ length: 30 }, (_, bound) => asked(bound % 3)))
  expect(answers).toEqual(answers.map((_, bound) => [one, two].slice(0, bound % 3)))
  const failed = await Promise.allSettled(Array.from({ length: 20 }, () => asked(1, 0)))
  expect(new Set(failed.map(({ status }) => status))).toEqual(new Set(['rejected']))
  expect(await Promise.all(Array.from({ length: 20 }, () => asked(2)))).toEqual(Array(20).fill([one, two]))
})

test('several of a statement on the way at once are told apart, and one that gives nothing gives nothing', async () => {
  const actor = await world.organization()
  const lists = await world.database.inSql(actor, (tx) =>
    Promise.all([
      ...[1, 2, 3].map((n) => tx.sql('select $1::int as n', n)),
      tx.sql('set local application_name = test'),
      tx.sql('set local application_name = test'),
      tx.sql('select $1::int as n', 4),
    ]),
  )
  expect(lists).toEqual([[{ n: 1 }], [{ n: 2 }], [{ n: 3 }], [], [], [{ n: 4 }]])
})

test('a statement whose columns were changed behind it fails, and is not misread', async () => {
  const actor = await world.organization()
  await owner.query('create table changing (value int); grant select on changing to tutti_api')
  await owner.query('insert into changing values (1)')
  const read = () => world.database.inSql(actor, (tx) => tx.sql('select value from changing'))
  expect(await read()).toEqual([{ value: 1 }])
  await owner.query(`alter table changing alter value type text using 'one'`)
  const answers = await Promise.allSettled(Array.from({ length: 10 }, read))
  expect(answers.some(({ status }) => status === 'rejected')).toBe(true)
  for (const answer of answers)
    if (answer.status === 'fulfilled') expect(answer.value).toEqual([{ value: 'one' }])
    else expect(String(answer.reason)).toContain('must not change result type')
})
