import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Engine, openEngine } from '../../testing/open-engine.ts'

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
afterAll(() => engine[Symbol.asyncDispose]())

const PAUSE = 'mutation ($i: PauseRunInput!) { pauseRun(input: $i) { run { id } } }'
const RESUME = 'mutation ($i: ResumeRunInput!) { resumeRun(input: $i) { run { id } } }'
const LONE = 'format: tutti/1\nname: lone\nsteps: [{ name: work, agent: alpha }]'
const PAIR = `format: tutti/1
name: pair
steps:
  - name: both
    type: parallel
    branches:
      left: [{ name: one, agent: alpha }]
      right: [{ name: two, agent: alpha }]`

/** What the run's strands are at: those that wait for others, and those that are held. */
const held = async (actor: Parameters<Engine['rows']>[0]) =>
  (
    await engine.rows<{ n: number }>(
      actor,
      `select count(*)::int as n from strand
     where organization_id = $1 and status = 'held'`,
    )
  )[0]?.n

test.each([
  ['the main line', LONE, ['work']],
  ['branches whose beginning is not written yet', PAIR, ['one', 'two']],
])(
  'attempts on %s that pause their run and are put back begin anew, and do not count',
  async (_, document, steps) => {
    const actor = await engine.organization('alpha')
    const attempts: { step: string; attempt: number }[] = []
    let full = true
    await using _worker = engine.work(actor, async ({ nodeId, attempt, runId }) => {
      attempts.push({ step: nodeId.split('/').at(-1) ?? '', attempt })
      if (!full) return { type: 'succeeded', output: null }
      await engine.ask(actor, PAUSE, { i: { id: runId } })
      return { type: 'put_back' }
    })
    const id = await engine.start(actor, document)
    await expect.poll(() => held(actor), { timeout: 10_000 }).toBe(steps.length)
    full = false
    await engine.ask(actor, RESUME, { i: { id } })
    expect(await engine.event(actor, /^run\.(completed|failed)$/)).toMatchObject({ type: 'run.completed' })
    expect(attempts.every(({ attempt }) => attempt === 1)).toBe(true)
    for (const step of steps)
      expect(attempts.filter((each) => each.step === step).length, step).toBeGreaterThanOrEqual(2)
    const tasks = await engine.rows<{ attempt: number }>(
      actor,
      `select attempt from task where organization_id = $1 and kind = 'agent'`,
    )
    expect(tasks).toEqual(steps.map(() => ({ attempt: 1 })))
  },
)

test('put back in a run that goes on already, it begins anew at once', async () => {
  const actor = await engine.organization('alpha')
  const attempts: number[] = []
  await using _worker = engine.work(actor, async ({ attempt }) => {
    attempts.push(attempt)
    return attempts.length === 1 ? { type: 'put_back' } : { type: 'succeeded', output: null }
  })
  await engine.start(actor, LONE)
  await engine.event(actor, /^run\.completed$/)
  expect(attempts).toEqual([1, 1])
})
