import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ClaimedTask } from '../engine/worker/claimed-task.ts'
import { type Engine, openEngine } from '../testing/open-engine.ts'
import { applyWorkflow } from '../workflows/apply-workflow.ts'

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
afterAll(() => engine[Symbol.asyncDispose]())

const IMPORT = `
format: tutti/1
name: import
inputs: [customer]
concurrency: { key: customer, max: 1 }
steps:
  - { name: fetch, agent: alpha, input: customer, output: rows }
  - { name: store, agent: alpha, input: customer }
`
const ALL = `
format: tutti/1
name: all
inputs: [customers]
steps:
  - name: each
    type: map
    over: customers
    as: customer
    steps: [{ name: one, type: workflow, workflow: import, input: customer }]
`

/** How many runs of each customer were under way at once at most, as the work that was done shows. */
function counting() {
  const now = new Map<string, Set<string>>()
  const most = new Map<string, number>()
  const work = async ({ runId, stepPath, input }: ClaimedTask) => {
    const customer = String(input['customer'])
    const runs = now.get(customer) ?? new Set()
    runs.add(runId)
    now.set(customer, runs)
    most.set(customer, Math.max(most.get(customer) ?? 0, runs.size))
    await new Promise((resolve) => setImmediate(resolve))
    if (stepPath === 'store') runs.delete(runId)
    return { type: 'succeeded' as const, output: null }
  }
  return { work, most }
}
const ended = (actor: Actor, id: string) =>
  engine.event(actor, /^run\.(completed|failed|cancelled)$/, ({ subject }) => subject === `run/${id}`)

test('sub-runs count by key beside runs that were started by themselves, and all of them end', async () => {
  const actor = await engine.organization('alpha')
  await applyWorkflow(engine.world, actor, IMPORT)
  const { work, most } = counting()
  await using _worker = engine.work(actor, work)
  const customers = ['a', 'b', 'a', 'a', 'b', 'c']
  const alone = await engine.start(actor, IMPORT, { customer: 'a' })
  const all = await engine.start(actor, ALL, { customers })
  for (const id of [alone, all]) expect((await ended(actor, id)).type).toBe('run.completed')
  expect(Object.fromEntries(most)).toEqual({ a: 1, b: 1, c: 1 })
  const keys = await engine.rows<{ n: number }>(
    actor,
    `select count(*)::int as n from run where organization_id = $1 and depth = 1 and status = 'completed'`,
  )
  expect(keys).toEqual([{ n: customers.length }])
})

test('while one of a key is under way its sub-run waits in line, and others’ begin', async () => {
  const actor = await engine.organization('alpha')
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  await using _worker = engine.work(actor, async ({ input }) => {
    if (input['customer'] === 'a') await opened
    return { type: 'succeeded', output: null }
  })
  await engine.start(actor, IMPORT, { customer: 'a' })
  await engine.event(actor, /^task\.started$/)
  const all = await engine.start(actor, ALL, { customers: ['a', 'b'] })
  await engine.event(actor, /^run\.completed$/)
  const runs = await engine.rows(
    actor,
    `select r.input->>'customer' as customer, r.status, s.limit_key from run r
     left join strand s on s.organization_id = r.organization_id and s.run_id = r.id
     where r.organization_id = $1 and r.depth = 1 order by 1`,
  )
  expect(runs).toEqual([
    { customer: 'a', status: 'queued', limit_key: 'a' },
    { customer: 'b', status: 'completed', limit_key: null },
  ])
  open()
  expect((await ended(actor, all)).type).toBe('run.completed')
})

test('a run that is retried has its place at once, and counts by its key', async () => {
  const actor = await engine.organization('alpha')
  let broken = true
  const { work, most } = counting()
  await using _worker = engine.work(actor, async (task) =>
    broken ? { type: 'failed', error: { code: 'NO', message: 'no', retryable: false } } : work(task),
  )
  const id = await engine.start(actor, IMPORT, { customer: 'a' })
  await engine.event(actor, /^run\.failed$/)
  broken = false
  await engine.ask(actor, 'mutation($id: ID!) { retryRun(input: { id: $id }) { run { id } } }', { id })
  const second = await engine.start(actor, IMPORT, { customer: 'a' })
  for (const each of [id, second])
    await engine.event(actor, /^run\.completed$/, ({ subject }) => subject === `run/${each}`)
  expect(Object.fromEntries(most)).toEqual({ a: 1 })
})
