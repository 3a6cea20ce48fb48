import { afterAll, beforeAll, expect, test } from 'vitest'
import { applyWorkflow } from '../workflows/apply-workflow.ts'
import { type Engine, openEngine } from '../testing/open-engine.ts'

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
afterAll(() => engine[Symbol.asyncDispose]())

test('a race takes the loser’s sub-run with it, and leaves alone what the winner begins next', async () => {
  const actor = await engine.organization('alpha')
  await applyWorkflow(
    engine.world,
    actor,
    'format: tutti/1\nname: slow\nsteps: [{ name: ask, type: wait, signal: never }]',
  )
  let release: () => void = () => undefined
  const released = new Promise<void>((resolve) => (release = resolve))
  await using _worker = engine.work(actor, async ({ stepPath }) => {
    if (stepPath === 'race[fast]/win') await released
    return { type: 'succeeded', output: stepPath }
  })
  const id = await engine.start(
    actor,
    `
format: tutti/1
name: race
steps:
  - name: race
    type: parallel
    join: any
    branches:
      fast: [{ name: win, agent: alpha }]
      slow: [{ name: lose, type: workflow, workflow: slow }]
  - name: both
    type: parallel
    branches:
      left: [{ name: a, agent: alpha }]
      right: [{ name: b, agent: alpha }]
    output: all
`,
  )
  const begun = await engine.event(actor, /^task\.waiting$/, ({ data }) =>
    JSON.stringify(data).includes('"slow"'),
  )
  release()
  const ended = await engine.event(actor, /^run\.(completed|failed)$/)
  expect(ended).toMatchObject({ type: 'run.completed', data: { runId: id } })
  const runs = await engine.rows(
    actor,
    `select r.status, r.output->'outputs' as outputs, r.error->>'code' as error from run r
     where r.organization_id = $1 order by r.depth`,
  )
  expect(runs).toEqual([
    {
      status: 'completed',
      outputs: { all: { left: 'both[left]/a', right: 'both[right]/b' } },
      error: null,
    },
    { status: 'cancelled', outputs: null, error: 'RUN_CANCELLED' },
  ])
  const subrun = await engine.event(actor, /^run\.cancelled$/)
  expect(subrun.data).toMatchObject({ runId: (begun.data as { runId: string }).runId })
  expect(await engine.rows(actor, 'select id from strand where organization_id = $1')).toEqual([])
})
