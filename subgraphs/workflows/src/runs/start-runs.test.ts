import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { type Engine, openEngine } from '../testing/open-engine.ts'
import { startRuns } from './start-runs.ts'

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
afterAll(() => engine[Symbol.asyncDispose]())
afterEach(() => vi.useRealTimers())

// More than a worker does in a row: the run goes back to the queue on its way.
const STEPS = 25
const document = `format: tutti/1
name: long
steps:
${Array.from({ length: STEPS }, (_, index) => `  - { name: s${index}, agent: alpha }`).join('\n')}
`

test('a run goes on whose starter has a clock that is an hour ahead', async () => {
  const actor = await engine.organization('alpha')
  let done = 0
  await using _worker = engine.work(actor, async () => {
    done += 1
    return { type: 'succeeded', output: null }
  })
  const ended = (id: string) =>
    engine.event(actor, /^run\.(completed|failed)$/, ({ subject }) => subject === `run/${id}`)
  // By the end of this one the process knows that no limit keeps it from beginning what it starts.
  await ended(await engine.start(actor, document))
  const [workflow] = await engine.rows<{ id: string }>(
    actor,
    'select id from workflow where organization_id = $1',
  )
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 })
  const [run] = await startRuns(
    { database: engine.world.database, wake: () => undefined },
    actor,
    [{ workflowId: workflow?.id ?? '', input: {} }],
    String,
  )
  vi.useRealTimers()
  expect((await ended(run?.id ?? '')).type).toBe('run.completed')
  expect(done).toBe(2 * STEPS)
})
