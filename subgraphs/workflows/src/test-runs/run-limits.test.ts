import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Engine, openEngine } from '../testing/open-engine.ts'
import { testWorkflow } from './test-workflow.ts'

const SLOW = `
format: tutti/1
name: slow
timeout: 1h
steps:
  - { name: first, agent: alpha, timeout: 2h, fallback_action: mend, compensate: alpha, next: rest }
  - { name: rest, type: wait, for: 30d }
  - { name: second, agent: alpha, timeout: 2h, fallback_action: mend, next: end }
  - { name: mend, agent: alpha }
`
const lasting = (first: string, second: string) => ({
  mocks: [
    { step: 'first', output: 1, latency: first },
    { step: 'second', output: 2, latency: second },
    { step: 'mend', output: 3 },
  ],
})

describe('the limit of a run’s own time', () => {
  it('does not count what it waits', async () => {
    const run = await testWorkflow(SLOW, lasting('20m', '39m'))
    expect(run).toMatchObject({ status: 'completed', durationMs: (30 * 24 * 60 + 59) * 60_000, problems: [] })
  })

  it('fails it, neither mended nor undone, with what it is at cancelled', async () => {
    const run = await testWorkflow(SLOW, lasting('20m', '50m'))
    expect(run.status).toBe('failed')
    expect(run.error).toMatchObject({ code: 'RUN_TIMED_OUT', node: 'second' })
    expect(run.durationMs).toBe((30 * 24 * 60 + 60) * 60_000)
    expect(run.trace.map(({ event, path }) => `${event} ${path}`).slice(-2)).toEqual([
      'task_cancelled second',
      'run_failed ',
    ])
  })

  it('ends branches, and sub-workflows that are waited for; a sub-workflow’s own is told to the run above', async () => {
    const around = (timeout: string) => `
format: tutti/1
name: around
${timeout}
steps:
  - name: both
    type: parallel
    branches:
      left: [{ name: sub, type: workflow, workflow: slow }]
      right: [{ name: work, agent: alpha, timeout: 3h }]
`
    const options = {
      workflows: { slow: SLOW },
      mocks: [
        { step: 'work', output: 1, latency: '2h' },
        { step: 'first', output: 1, latency: '90m' },
      ],
    }
    const above = await testWorkflow(around('timeout: 30m'), options)
    expect(above).toMatchObject({ status: 'failed', error: { code: 'RUN_TIMED_OUT' }, durationMs: 1_800_000 })
    expect(
      above.trace
        .filter(({ event }) => /cancelled/.test(event))
        .map(({ path }) => path)
        .toSorted(),
    ).toEqual(['both', 'both[left]/sub', 'both[left]/sub', 'both[right]/work'])
    const below = await testWorkflow(around(''), options)
    expect(below).toMatchObject({ status: 'failed', error: { code: 'RUN_TIMED_OUT' }, durationMs: 3_600_000 })
  })
})

describe('a workflow’s limit on its runs', () => {
  const IMPORT = `
format: tutti/1
name: import
inputs: [customer]
concurrency: { key: customer, max: 1 }
steps: [{ name: fetch, agent: alpha, input: customer, timeout: 2h }]
`
  const ALL = `
format: tutti/1
name: all
steps:
  - name: each
    type: map
    over: '["a", "b", "a", "a"]'
    as: customer
    steps: [{ name: one, type: workflow, workflow: import, input: customer }]
`
  it('lets sub-workflows of a key begin one after the other, in virtual time', async () => {
    const mocks = [{ step: 'fetch', output: 1, latency: '1h' }]
    const run = await testWorkflow(ALL, { workflows: { import: IMPORT }, mocks })
    expect(run).toMatchObject({ status: 'completed', durationMs: 3 * 3_600_000, problems: [] })
    const begun = run.trace.filter(({ event, path }) => event === 'run_started' && path !== '')
    expect(begun.map(({ afterMs }) => afterMs / 3_600_000)).toEqual([0, 0, 1, 2])
  })

  it('that a run of it holds while it waits for another is told', async () => {
    const run = await testWorkflow(
      'format: tutti/1\nname: itself\nconcurrency: { max: 1 }\nsteps: [{ name: again, type: workflow, workflow: itself }]',
    )
    expect(run.status).toBe('waiting')
    expect(run.problems).toMatchObject([{ code: 'NO_PLACE' }])
  })
})

describe('over the API', () => {
  let engine: Engine
  beforeAll(async () => {
    engine = await openEngine()
  })
  afterAll(() => engine[Symbol.asyncDispose]())

  it('the settings’ limit of a run’s time holds, and limits that are no part of a test are named', async () => {
    const actor = await engine.organization()
    await engine.ask(actor, 'mutation($d: String!) { applySettings(input: { document: $d }) { changed } }', {
      d: 'performance: { workflow_timeout_minutes: 10 }',
    })
    await engine.ask(actor, 'mutation { setLimit(input: { name: "all", maxRunning: 3 }) { limit { id } } }')
    const document = 'format: tutti/1\nname: long\nsteps: [{ name: work, agent: alpha, timeout: 1h }]'
    const { testRun } = await engine.ask<{ testRun: object }>(
      actor,
      'mutation($input: TestRunInput!) { testRun(input: $input) { status error durationMs limitsLeftOut } }',
      { input: { document, mocks: [{ agent: 'alpha', output: 1, latency: '20m' }] } },
    )
    expect(testRun).toMatchObject({
      status: 'FAILED',
      error: { code: 'RUN_TIMED_OUT' },
      durationMs: 600_000,
      limitsLeftOut: ['all'],
    })
  })
})
