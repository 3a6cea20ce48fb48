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
