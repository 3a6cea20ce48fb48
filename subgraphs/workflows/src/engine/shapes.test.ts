import { openTail, type Tail } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { createLog } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startRuns } from '../runs/start-runs.ts'
import { applyWorkflow } from '../workflows/apply-workflow.ts'
import type { ClaimedTask } from './worker/claimed-task.ts'
import type { TaskOutcome } from './worker/outcome.ts'
import { startTaskRunner } from './worker/task-runner.ts'

const log = createLog('test', 'silent')
let world: TestDatabase
let tail: Tail

beforeAll(async () => {
  world = await openTestDatabase()
  tail = await openTail(world.database)
})
afterAll(async () => {
  await tail[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

/** An organization whose one agent `worker` can do everything. */
async function organization(): Promise<Actor> {
  const actor = await world.organization()
  await world.database.inTenant(actor, (tx) =>
    tx.db.agent.create({
      data: {
        organizationId: actor.organizationId,
        name: 'worker',
        type: 'test',
        version: '1',
        capabilities: ['anything'],
        executor: {},
        configuration: {},
        configurationHash: 'worker',
      },
    }),
  )
  return actor
}

const TWICE = async (task: ClaimedTask): Promise<TaskOutcome> => ({
  type: 'succeeded',
  output: { step: task.stepPath, got: task.input },
})

interface Ended {
  status: string
  output: { outputs: Record<string, unknown>; terminal: string } | null
  error: { code: string; node: string } | null
  tasks: { step_path: string; status: string; kind: string; attempt: number }[]
}

/** Runs a document to its end and answers with what stands in the database then. */
async function run(
  document: string,
  input: Record<string, unknown> = {},
  execute: (task: ClaimedTask) => Promise<TaskOutcome> = TWICE,
  workers = 1,
): Promise<Ended> {
  const actor = await organization()
  await applyWorkflow(world, actor, `format: tutti/1\nname: flow\n${document}`)
  const runners = Array.from({ length: workers }, () =>
    startTaskRunner({ database: world.database, execute, log, concurrency: 16 }),
  )
  try {
    const services = { database: world.database, wake: () => runners[0]?.wake() }
    const [started] = await startRuns(services, actor, [{ workflowName: 'flow', input }], String)
    const types = ['run.completed', 'run.failed', 'run.cancelled'] as const
    const ended = tail.subscribe({ organizationId: actor.organizationId, types }, { after: '0000000000000' })
    for await (const event of ended) if (event.subject === `run/${started?.id}`) break
    const [row] = await world.database.readTenant<Ended>(
      actor,
      'select status, output, error from run where organization_id = $1 and id = $2',
      [actor.organizationId, started?.id],
    )
    const tasks = await world.database.readTenant<Ended['tasks'][number]>(
      actor,
      'select step_path, status, kind, attempt from task where organization_id = $1 and run_id = $2 order by id',
      [actor.organizationId, started?.id],
    )
    const [left] = await world.database.readTenant<{ strands: bigint }>(
      actor,
      'select count(*) as strands from strand where organization_id = $1',
      [actor.organizationId],
    )
    expect(left?.strands).toBe(0n)
    return { status: row?.status ?? '', output: row?.output ?? null, error: row?.error ?? null, tasks }
  } finally {
    for (const runner of runners) await runner[Symbol.asyncDispose]()
  }
}

const pathsOf = ({ tasks }: Ended): string[] => tasks.map(({ step_path }) => step_path).toSorted()

test('branches run side by side, and their outputs are there after the join', async () => {
  const ended = await run(
    `
inputs: [message]
steps:
  - name: both
    type: parallel
    branches:
      left: [{ name: a, agent: worker, input: message, output: one }]
      right: [{ name: b, agent: worker, input: message, output: two }, { name: c, capability: anything, input: two }]
  - { name: last, agent: worker, input: [one, two], output: all }
`,
    { message: 'hello' },
  )
  expect(ended).toMatchObject({
    status: 'completed',
    output: { outputs: { all: { got: { one: { step: 'both[left]/a' }, two: { step: 'both[right]/b' } } } } },
  })
  expect(pathsOf(ended)).toEqual(['both', 'both[left]/a', 'both[right]/b', 'both[right]/c', 'last'])
})

const MAP = (more: string) => `
inputs: [items]
steps:
  - name: each
    type: map
    over: items
    as: item
    output: results
    ${more}
    steps:
      - { name: work, agent: worker, input: item, output: worked }
`

test('a map answers in the order of its items, however many workers did them', async () => {
  const items = Array.from({ length: 40 }, (_, index) => index)
  const execute = async (task: ClaimedTask): Promise<TaskOutcome> => {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 20))
    return { type: 'succeeded', output: Number(task.input['item']) * 2 }
  }
  const ended = await run(MAP(''), { items }, execute, 3)
  expect(ended.output?.outputs['results']).toEqual(items.map((item) => item * 2))
})

test('a bounded map has no more items under way than its bound', async () => {
  let busy = 0
  let most = 0
  const execute = async (task: ClaimedTask): Promise<TaskOutcome> => {
    most = Math.max(most, ++busy)
    await new Promise((resolve) => setTimeout(resolve, 5))
    busy -= 1
    return { type: 'succeeded', output: task.input['item'] }
  }
  const items = Array.from({ length: 30 }, (_, index) => index)
  const ended = await run(MAP('concurrency: 4'), { items }, execute, 2)
  expect(ended.output?.outputs['results']).toEqual(items)
  expect(most).toBeLessThanOrEqual(4)
  expect(most).toBeGreaterThan(1)
})

test('a map of more items than begin at once is done whole', async () => {
  const items = Array.from({ length: 700 }, (_, index) => index)
  const execute = async (task: ClaimedTask): Promise<TaskOutcome> => ({
    type: 'succeeded',
    output: task.input['item'],
  })
  const ended = await run(MAP(''), { items }, execute)
  expect(ended.output?.outputs['results']).toEqual(items)
})

test('an item that takes long is begun for all to see, and done once', async () => {
  const seen: string[] = []
  const ended = await run(MAP('concurrency: 2'), { items: [1, 2, 3] }, async (task) => {
    await new Promise((resolve) => setTimeout(resolve, 150))
    const rows = await world.database
      .pool('worker')
      .query<{ status: string }>('select status from task where id = $1', [task.id])
    seen.push(rows.rows[0]?.status ?? 'unseen')
    return { type: 'succeeded', output: task.input['item'] }
  })
  expect(ended.output?.outputs['results']).toEqual([1, 2, 3])
  expect(seen).toEqual(['running', 'running', 'running'])
})

test('the first branch that arrives is enough where any is, and the rest is cancelled', async () => {
  const ended = await run(
    `
steps:
  - name: race
    type: parallel
    join: any
    output: winner
    branches:
      fast: [{ name: quick, agent: worker }]
      slow: [{ name: lazy, agent: worker }]
`,
    {},
    async (task) => {
      if (task.nodeId === 'lazy') await new Promise((resolve) => setTimeout(resolve, 3_000))
      return { type: 'succeeded', output: task.nodeId }
    },
  )
  expect(ended.output?.outputs['winner']).toEqual({ fast: 'quick' })
  expect(ended.tasks.find(({ step_path }) => step_path === 'race[slow]/lazy')?.status).toBe('cancelled')
})

test('a loop goes on until its condition holds', async () => {
  let turn = 0
  const ended = await run(
    `
steps:
  - name: again
    type: loop
    until: draft.score > 2
    max_turns: 10
    steps:
      - { name: write, agent: worker, output: draft }
`,
    {},
    async () => ({ type: 'succeeded', output: { score: ++turn } }),
  )
  expect(ended.output?.outputs['draft']).toEqual({ score: 3 })
  expect(pathsOf(ended)).toEqual(['again[0]/write', 'again[1]/write', 'again[2]/write'])
})

test('a failing item fails the map, and the run, with its error', async () => {
  const ended = await run(MAP(''), { items: [1, 2, 3] }, async (task) =>
    task.input['item'] === 2
      ? { type: 'failed', error: { code: 'BROKEN', message: 'no', retryable: false } }
      : { type: 'succeeded', output: 1 },
  )
  expect(ended).toMatchObject({ status: 'failed', error: { code: 'BROKEN' } })
})

test('failures are results where they are collected', async () => {
  const ended = await run(MAP('on_failure: collect'), { items: [1, 2, 3] }, async (task) =>
    task.input['item'] === 2
      ? { type: 'failed', error: { code: 'BROKEN', message: 'no', retryable: false } }
      : { type: 'succeeded', output: task.input['item'] },
  )
  expect(ended.output?.outputs['results']).toMatchObject([1, { error: { code: 'BROKEN' } }, 3])
})

test('a map over nothing, and a branch of conditions alone, are over at once', async () => {
  const ended = await run(
    `
inputs: [items]
steps:
  - { name: each, type: map, over: items, as: item, output: results, steps: [{ name: work, agent: worker, input: item }] }
  - name: both
    type: parallel
    branches:
      left: [{ name: set, type: transform, set: { one: "1 + 1" } }]
      right: [{ name: other, type: transform, set: { two: "2 + 2" } }]
  - { name: sum, type: transform, set: { all: "one + two" } }
`,
    { items: [] },
  )
  expect(ended).toMatchObject({ status: 'completed', output: { outputs: { results: [], all: 6 } } })
})

test('a wait for a time is over when it has come', async () => {
  const ended = await run(
    `
steps:
  - { name: rest, type: wait, for: 300ms }
  - { name: last, agent: worker, output: done }
`,
  )
  expect(ended.status).toBe('completed')
  expect(pathsOf(ended)).toEqual(['last', 'rest'])
})

test('what completed is undone in reverse when the run fails', async () => {
  const undone: unknown[] = []
  const ended = await run(
    `
steps:
  - { name: book, agent: worker, output: booking, compensate: { agent: worker } }
  - { name: pay, agent: worker, output: payment, compensate: { agent: worker } }
  - { name: ship, agent: worker }
`,
    {},
    async (task) => {
      if (task.stepPath.endsWith('~undo')) undone.push(task.stepPath)
      return task.nodeId === 'ship'
        ? { type: 'failed', error: { code: 'LOST', message: 'no', retryable: false } }
        : { type: 'succeeded', output: task.nodeId }
    },
  )
  expect(ended).toMatchObject({ status: 'failed', error: { code: 'LOST' } })
  expect(undone).toEqual(['pay~undo', 'book~undo'])
})

test('a step that fails the run on its way out is undone as well', async () => {
  const undone: unknown[] = []
  const ended = await run(
    `
steps:
  - { name: book, agent: worker, output: booking, compensate: { agent: worker } }
  - { name: choose, type: conditional, condition: booking.seats > 3, if_true: good, if_false: end }
  - { name: good, agent: worker }
`,
    {},
    async (task) => {
      if (task.stepPath.endsWith('~undo')) undone.push([task.stepPath, task.input['$output']])
      return { type: 'succeeded', output: { seats: 'none' } }
    },
  )
  expect(ended).toMatchObject({ status: 'failed', error: { code: 'CONDITION_FAILED' } })
  expect(undone).toEqual([['book~undo', { seats: 'none' }]])
})

test('a sub-workflow that takes too long is given up, and its run is cancelled', async () => {
  const actor = await organization()
  await applyWorkflow(
    world,
    actor,
    'format: tutti/1\nname: sub\nsteps:\n  - { name: rest, type: wait, for: 1h }\n',
  )
  const document = `
format: tutti/1
name: outer
steps:
  - { name: inner, type: workflow, workflow: sub, timeout: 300ms, fallback_action: after }
  - { name: never, type: end }
  - { name: after, agent: worker, output: handled }
`
  await applyWorkflow(world, actor, document)
  await using runner = startTaskRunner({ database: world.database, execute: TWICE, log })
  await startRuns(
    { database: world.database, wake: () => runner.wake() },
    actor,
    [{ workflowName: 'outer', input: {} }],
    String,
  )
  const types = ['run.completed', 'run.failed'] as const
  const ended = tail.subscribe({ organizationId: actor.organizationId, types }, { after: '0000000000000' })
  for await (const event of ended) {
    expect(event).toMatchObject({ type: 'run.completed', data: { fallback: true } })
    break
  }
  const runs = await world.database.readTenant(
    actor,
    'select w.name, r.status from run r join workflow w on w.organization_id = r.organization_id and w.id = r.workflow_id where r.organization_id = $1 order by 1',
    [actor.organizationId],
  )
  expect(runs).toEqual([
    { name: 'outer', status: 'completed' },
    { name: 'sub', status: 'cancelled' },
  ])
})
