import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Engine, openEngine } from '../testing/open-engine.ts'
import { untilBlocked } from '../testing/until-blocked.ts'
import { takeSignals } from './take-signals.ts'

let engine: Engine
let owner: pg.Client
beforeAll(async () => {
  engine = await openEngine()
  owner = new pg.Client({ connectionString: engine.world.url })
  await owner.connect()
})
afterAll(async () => {
  await owner.end()
  await engine[Symbol.asyncDispose]()
})

test('a signal that comes while a run is resumed lets its step go on', async () => {
  const actor = await engine.organization()
  const { organizationId } = actor
  await using _worker = engine.work(actor, async () => ({ type: 'succeeded', output: null }))
  const run = await engine.start(
    actor,
    'format: tutti/1\nname: waits\nsteps: [{ name: ask, type: wait, signal: go }]',
  )
  await engine.event(actor, /^task\.waiting$/)
  await engine.ask(actor, 'mutation ($i: PauseRunInput!) { pauseRun(input: $i) { run { id } } }', {
    i: { id: run },
  })
  await _worker[Symbol.asyncDispose]()
  await owner.query(
    `insert into run_signal (organization_id, run_id, name, payload, sent_by) values ($1, $2, 'go', '1', '{}')`,
    [organizationId, run],
  )
  const [strand] = await engine.rows<{ id: string }>(
    actor,
    'select id from strand where organization_id = $1',
  )

  // As resumeRun does it, which has not committed when the signal is about to be taken.
  await owner.query('begin')
  await owner.query('select from run where organization_id = $1 for update', [organizationId])
  await owner.query('select from strand where organization_id = $1 for update', [organizationId])
  await owner.query(`update run set status = 'waiting' where organization_id = $1`, [organizationId])
  const taking = takeSignals(engine.world.database.pool('worker'), [{ organizationId, id: strand?.id ?? '' }])
  await untilBlocked(owner)
  await owner.query('commit')
  expect(await taking).toEqual([strand?.id])
  const [after] = await engine.rows(
    actor,
    'select status, due_at is not null as due from strand where organization_id = $1',
  )
  expect(after).toEqual({ status: 'ready', due: true })
})
