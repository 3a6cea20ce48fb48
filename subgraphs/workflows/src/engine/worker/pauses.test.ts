import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Engine, openEngine } from '../../testing/open-engine.ts'
import { untilBlocked } from '../../testing/until-blocked.ts'

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

const PAUSE = 'mutation ($i: PauseRunInput!) { pauseRun(input: $i) { run { id } } }'
const RESUME = 'mutation ($i: ResumeRunInput!) { resumeRun(input: $i) { run { id } } }'

test('a run that is paused while a worker is about to begin it begins when it is resumed', async () => {
  const actor = await engine.organization('alpha')
  const run = await engine.start(
    actor,
    `format: tutti/1
name: pair
steps:
  - name: both
    type: parallel
    branches:
      left: [{ name: one, agent: alpha }]
      right: [{ name: two, agent: alpha }]`,
  )
  // As pauseRun does it: it has the run's lock, and the worker, which has claimed, waits for it to write.
  await owner.query('begin')
  await owner.query('select from run where id = $1 for update', [run])
  await using _worker = engine.work(actor, async () => ({ type: 'succeeded', output: null }))
  await untilBlocked(owner)
  await owner.query(`update run set status = 'paused', epoch = epoch + 1 where id = $1`, [run])
  await owner.query('commit')
  for (let status = ''; status !== 'held';) {
    const [strand] = await engine.rows<{ status: string }>(
      actor,
      'select status from strand where organization_id = $1',
    )
    status = strand?.status ?? ''
  }
  await engine.ask(actor, RESUME, { i: { id: run } })
  expect(await engine.event(actor, /^run\.(completed|failed)$/)).toMatchObject({ type: 'run.completed' })
})

test('an attempt whose worker is lost in a paused run is no attempt', async () => {
  const actor = await engine.organization('alpha')
  const begun = Promise.withResolvers<void>()
  const attempts: number[] = []
  const lost = engine.work(actor, async ({ attempt }) => {
    attempts.push(attempt)
    begun.resolve()
    return new Promise(() => undefined)
  })
  const run = await engine.start(
    actor,
    'format: tutti/1\nname: lone\nsteps: [{ name: work, agent: alpha, output: result }]',
  )
  await begun.promise
  await engine.ask(actor, PAUSE, { i: { id: run } })
  await lost[Symbol.asyncDispose]()
  await owner.query(`update strand set due_at = clock_timestamp() where run_id = $1`, [run])
  await using _worker = engine.work(actor, async ({ attempt }) => {
    attempts.push(attempt)
    return { type: 'succeeded', output: 'done' }
  })
  for (let status = ''; status !== 'held';) {
    const [strand] = await engine.rows<{ status: string }>(
      actor,
      'select status from strand where organization_id = $1',
    )
    status = strand?.status ?? ''
  }
  await engine.ask(actor, RESUME, { i: { id: run } })
  await engine.event(actor, /^run\.completed$/)
  expect(attempts).toEqual([1, 1])
})
