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
