import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { roleUrl } from '../roles.ts'
import { openTestDatabase, TEST_SECRET, type TestDatabase } from '../testing/test-database.ts'

let world: TestDatabase
beforeAll(async () => {
  world = await openTestDatabase()
})
afterAll(() => world[Symbol.asyncDispose]())

/** What PostgreSQL asks when a row names a run. */
const CHECK = 'select 1 from only run x where organization_id = $1 and id = $2 for key share of x'

test.each(['api', 'worker'] as const)(
  'a plan that %s makes while a table is small does not scan it when it has grown',
  async (role) => {
    const owner = new pg.Client({ connectionString: world.url })
    await owner.connect()
    await owner.query('vacuum analyze run')
    const client = new pg.Client({ connectionString: roleUrl(world.url, role, TEST_SECRET) })
    await client.connect()
    try {
      await client.query("set app.organization = '00000000-0000-4000-8000-000000000001'")
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain (generic_plan) ${CHECK}`)
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
      expect(plan).toMatch(/Index Scan using (run_pkey|run_id_index)/)
    } finally {
      await client.end()
      await owner.end()
    }
  },
)
