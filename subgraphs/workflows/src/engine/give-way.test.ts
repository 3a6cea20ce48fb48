import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Engine, openEngine } from '../testing/open-engine.ts'

let engine: Engine
let owner: pg.Client
beforeAll(async () => {
  engine = await openEngine()
  owner = new pg.Client({ connectionString: engine.world.url })
  await owner.connect()
  // PostgreSQL is not to end deadlocks by itself here: there have to be none.
  const { rows } = await owner.query<{ name: string }>('select current_database() as name')
  await owner.query(`alter role tutti_worker in database "${rows[0]?.name}" set deadlock_timeout = '1h'`)
  await owner.query(`set deadlock_timeout = '1h'`)
})
afterAll(async () => {
  await owner.end()
  await engine[Symbol.asyncDispose]()
})

const RACE = `
format: tutti/1
name: race
steps:
  - name: race
    type: parallel
    join: any
    branches:
      fast: [{ name: win, agent: alpha }]
      slow: [{ name: lose, agent: alpha }]
`

test('who cancels the losers of a race gives way to one that arrives at the same moment', async () => {
  const actor = await engine.organization('alpha')
  let release: () => void = () => undefined
  const released = new Promise<void>((resolve) => (release = resolve))
  await using _worker = engine.work(actor, async ({ stepPath }, signal) => {
    const told = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    await (stepPath === 'race[fast]/win' ? released : told)
    return { type: 'succeeded', output: stepPath }
  })
  const id = await engine.start(actor, RACE)
  await engine.event(actor, /^task\.started$/, ({ data }) => JSON.stringify(data).includes('lose'))
  const [strands] = await engine.rows<{ loser: string; parent: string }>(
    actor,
    `select id as loser, parent_id as parent from strand where organization_id = $1 and key = 'slow'`,
  )
  // The loser arrives: its strand is locked, and then it reaches for what is around it.
  await owner.query('begin')
  await owner.query('select from strand where id = $1 for no key update', [strands?.loser])
  release()
  for (let waiting = 0; waiting === 0;) {
    const { rowCount } = await owner.query(
      `select from pg_stat_activity where wait_event_type = 'Lock' and usename = 'tutti_worker'
         and datname = current_database()`,
    )
    waiting = rowCount ?? 0
  }
  await owner.query('update strand set pending = pending where id = $1', [strands?.parent])
  await owner.query('commit')
  const ended = await engine.event(actor, /^run\.(completed|failed)$/)
  expect(ended).toMatchObject({ type: 'run.completed', data: { runId: id } })
  expect(await engine.rows(actor, 'select id from strand where organization_id = $1')).toEqual([])
})
