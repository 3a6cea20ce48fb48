import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Engine, openEngine } from '../../testing/open-engine.ts'
import { renewLeases } from './claim-strands.ts'

let engine: Engine
/** One connection for each side: within a transaction, the activity of others is shown as it was. */
let owner: pg.Client
let watcher: pg.Client
beforeAll(async () => {
  engine = await openEngine()
  owner = new pg.Client({ connectionString: engine.world.url })
  watcher = new pg.Client({ connectionString: engine.world.url })
  await Promise.all([owner.connect(), watcher.connect()])
})
afterAll(async () => {
  await Promise.all([owner.end(), watcher.end()])
  await engine[Symbol.asyncDispose]()
})

test('leases are renewed in the order in which others lock strands: neither waits for the other', async () => {
  const actor = await engine.organization('alpha')
  const document = 'format: tutti/1\nname: one\nsteps: [{ name: work, agent: alpha }]'
  for (let count = 0; count < 2; count++) await engine.start(actor, document)
  const held = await engine.rows<{ id: string; fence: bigint }>(
    actor,
    `select id, fence from strand where organization_id = $1 order by id`,
  )
  // The later one lies before the other in the table: reading it as it lies is the wrong order too.
  for (const { id } of held.toReversed())
    await owner.query(`update strand set status = 'running', due_at = now() where id = $1`, [id])
  const [first, second] = held
  const lock = (id?: string) => owner.query('select id from strand where id = $1 for no key update', [id])

  await owner.query('begin')
  await lock(first?.id)
  // Given the other way round: what was locked before it waits is what the other wants next.
  const renewal = renewLeases(engine.world.database.pool('worker'), held.toReversed()).catch(String)
  await expect
    .poll(async () => {
      const waiting = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
      return (await watcher.query(waiting)).rowCount
    })
    .toBe(1)
  await lock(second?.id)
  await owner.query('commit')
  expect(await renewal).toEqual([])
})
