import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Engine, openEngine } from '../../testing/open-engine.ts'

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

test('a worker that cannot renew its lease stops by its own clock, and the work is done again', async () => {
  const actor = await engine.organization('alpha')
  const begun = Promise.withResolvers<void>()
  const stopped = Promise.withResolvers<void>()
  await using _worker = engine.work(actor, async (_task, signal) => {
    begun.resolve()
    if (signal.aborted) return { type: 'succeeded', output: 'never' }
    const lost = await Promise.race([
      new Promise<boolean>((resolve) => signal.addEventListener('abort', () => resolve(true))),
      stopped.promise.then(() => false),
    ])
    if (!lost) return { type: 'succeeded', output: 'again' }
    stopped.resolve()
    await owner.query('grant update on strand to tutti_worker')
    return { type: 'succeeded', output: 'too late' }
  })
  await engine.start(
    actor,
    'format: tutti/1\nname: lone\nsteps: [{ name: work, agent: alpha, output: result }]',
  )
  await begun.promise
  // As when the database is out of reach: nothing it says can tell the worker to stop.
  await owner.query('revoke update on strand from tutti_worker')
  await stopped.promise
  const ended = await engine.event(actor, /^run\.(completed|failed)$/)
  expect(ended.type).toBe('run.completed')
  const [run] = await engine.rows<{ result: string }>(
    actor,
    `select output->'outputs'->>'result' as result from run where organization_id = $1`,
  )
  expect(run).toEqual({ result: 'again' })
})
