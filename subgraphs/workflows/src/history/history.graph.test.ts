import type { Actor } from '@tutti/schema'
import { testActor } from '@tutti/prisma/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ClaimedTask } from '../engine/worker/claimed-task.ts'
import type { TaskOutcome } from '../engine/worker/outcome.ts'
import { failOverdueRuns } from '../runs/control/fail-overdue-runs.ts'
import { type Engine, openEngine } from '../testing/open-engine.ts'

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
afterAll(() => engine[Symbol.asyncDispose]())

const done = async ({ stepPath, attempt }: ClaimedTask): Promise<TaskOutcome> => ({
  type: 'succeeded',
  output: `${stepPath} ${attempt}`,
})
const failing: TaskOutcome = { type: 'failed', error: { code: 'NO', message: 'no', retryable: true } }

interface Seen {
  status: string
  state: Record<string, unknown>
  output: unknown
  error: { code: string } | null
  endedAt: string | null
  version: { version: number }
  tasks: {
    id: string
    stepPath: string
    status: string
    attempt: number
    output: unknown
    error: { code: string } | null
    startedAt: string | null
    endedAt: string | null
  }[]
}
const SEEN = `status state output error { code } endedAt version { version }
  tasks { id stepPath status attempt output error { code } startedAt endedAt }`

const see = async (actor: Actor, id: string, at: Date | null = null): Promise<Seen | null> =>
  (
    await engine.ask<{ run: Seen | null }>(
      actor,
      `query($id: ID!, $at: DateTime) { run(id: $id, at: $at) { ${SEEN} } }`,
      { id, at },
    )
  ).run

interface Entry {
  cursor: string
  type: string
  time: string
  stepPath: string | null
  reason: string | null
  actor: { kind: string }
  cause: { type: string; stepPath: string | null } | null
}
interface Page {
  run: { history: { nodes: Entry[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } } }
}
async function history(actor: Actor, id: string, types: string[] | null = null): Promise<Entry[]> {
  const entries: Entry[] = []
  for (let after: string | null = null; ;) {
    const page: Page = await engine.ask(
      actor,
      `query($id: ID!, $after: String, $types: [String!]) { run(id: $id) { history(first: 7, after: $after, types: $types) {
        nodes { cursor type time stepPath reason actor { kind } cause { type stepPath } }
        pageInfo { hasNextPage endCursor } } } }`,
      { id, after, types },
    )
    const { nodes, pageInfo } = page.run.history
    entries.push(...nodes)
    after = pageInfo.endCursor
    if (!pageInfo.hasNextPage) return entries
  }
}

const ended = (actor: Actor, id: string) =>
  engine.event(actor, /^run\.(completed|failed|cancelled)$/, ({ subject }) => subject === `run/${id}`)

const MIXED = `
format: tutti/1
name: mixed
inputs: [items]
steps:
  - {name: first, agent: alpha, input: items, output: one, retry_attempts: 1, retry_delay_seconds: 0}
  - name: reckon
    set:
      twice: "[one, one]"
  - name: fan
    branches:
      left: [{name: l, agent: alpha, input: one, output: from_left}]
      right:
        - {name: r, agent: alpha, input: one, output: from_right}
        - name: r2
          set:
            more: '"m"'
    output: both
  - name: each
    over: items
    concurrency: 1
    steps: [{name: item, agent: alpha, input: item}]
    output: results
  - {name: last, agent: alpha, input: [both, results, twice], output: end}
`

test('at the end a run is what it is, and at every moment before it what it had come to', async () => {
  const actor = await engine.organization('alpha')
  const tried = new Set<string>()
  await using _worker = engine.work(actor, async (task) => {
    if (task.stepPath === 'first' && !tried.has(task.id)) {
      tried.add(task.id)
      return failing
    }
    return done(task)
  })
  const id = await engine.start(actor, MIXED, { items: [1, 2] })
  await ended(actor, id)
  const present = await see(actor, id)
  expect(present?.status).toBe('COMPLETED')
  expect(await see(actor, id, new Date(Date.now() + 60_000))).toEqual(present)
  expect(await see(actor, id, new Date(0))).toBeNull()

  const entries = await history(actor, id)
  const timeOf = (type: string, stepPath: string): Date =>
    new Date(entries.find((entry) => entry.type === type && entry.stepPath === stepPath)?.time ?? 0)
  const retrying = await see(actor, id, timeOf('task.retrying', 'first'))
  expect(retrying).toMatchObject({
    status: 'RUNNING',
    state: {},
    endedAt: null,
    tasks: [{ stepPath: 'first', output: null, error: { code: 'NO' } }],
  })
  const joined = await see(actor, id, timeOf('task.completed', 'fan'))
  expect(joined?.state).toMatchObject({
    one: 'first 2',
    twice: ['first 2', 'first 2'],
    from_left: 'fan[left]/l 1',
    more: 'm',
    both: { left: 'fan[left]/l 1' },
  })
  expect(joined?.output).toBeNull()
  const apart = await see(actor, id, new Date(timeOf('task.completed', 'fan').getTime() - 1))
  expect(Object.keys(apart?.state ?? {})).not.toContain('both')
  expect(present?.state).toMatchObject({ results: ['each[0]/item 1', 'each[1]/item 1'], end: 'last 1' })
})

test('a history has every transition in its order, with time, actor and cause', async () => {
  const actor = await engine.organization('alpha')
  await using _worker = engine.work(actor, done)
  const id = await engine.start(
    actor,
    `format: tutti/1\nname: two\nsteps:\n  - {name: first, agent: alpha, output: one}\n  - {name: second, agent: alpha, input: one}\n`,
  )
  await ended(actor, id)
  const entries = await history(actor, id)
  const told = entries.filter(({ type }) => type !== 'task.ready')
  expect(told.map(({ type, stepPath }) => [type, stepPath])).toEqual([
    ['run.started', null],
    ['task.started', 'first'],
    ['task.completed', 'first'],
    ['task.started', 'second'],
    ['task.completed', 'second'],
    ['run.completed', null],
  ])
  expect(entries.map(({ cursor }) => cursor)).toEqual(entries.map(({ cursor }) => cursor).toSorted())
  expect(told.map(({ cause }) => cause?.type)).toEqual([
    undefined,
    expect.stringMatching(/^(run\.started|task\.ready)$/),
    'task.started',
    expect.stringMatching(/^task\.(completed|ready)$/),
    'task.started',
    'task.completed',
  ])
  expect(told.at(-1)?.cause?.stepPath).toBe('second')
  expect(told[0]?.actor.kind).toBe('person')
  expect(await history(actor, id, ['task.comp*'])).toHaveLength(2)
  expect(await history(actor, id, ['run.*'])).toHaveLength(2)
  await expect(history(actor, id, ['run.*', 'nothing'])).rejects.toThrow('BAD_INPUT')
  const foreign = await engine.ask<{ run: unknown }>(
    testActor('admin'),
    'query($id: ID!, $at: DateTime) { run(id: $id, at: $at) { id } }',
    { id, at: new Date() },
  )
  expect(foreign.run).toBeNull()
})

test('a pause, a retry and a fork are in the past as they were', async () => {
  const actor = await engine.organization('alpha')
  let broken = true
  await using _worker = engine.work(actor, async (task) =>
    task.stepPath === 'second' && broken
      ? { type: 'failed', error: { code: 'BROKEN', message: 'no', retryable: false } }
      : done(task),
  )
  const document = `format: tutti/1\nname: three\nsteps:
  - {name: first, agent: alpha, output: one}
  - {name: second, agent: alpha, input: one, output: two}
  - {name: third, agent: alpha, input: two, output: three}\n`
  const id = await engine.start(actor, document)
  const failed = await ended(actor, id)
  broken = false
  await engine.ask(
    actor,
    'mutation($id: ID!) { retryRun(input: {id: $id, reason: "mended"}) { run { id } } }',
    { id },
  )
  await engine.event(actor, /^run\.completed$/, ({ subject }) => subject === `run/${id}`)
  const present = await see(actor, id)
  expect(present).toMatchObject({ status: 'COMPLETED', state: { three: 'third 1' } })
  expect(await see(actor, id, new Date(Date.now() + 60_000))).toEqual(present)
  expect(await see(actor, id, failed.time)).toMatchObject({
    status: 'FAILED',
    error: { code: 'BROKEN' },
    output: null,
    state: { one: 'first 1' },
    tasks: [{ status: 'COMPLETED' }, { stepPath: 'second', status: 'FAILED', error: { code: 'BROKEN' } }],
  })
  const retried = (await history(actor, id)).find(({ type }) => type === 'run.retried')
  expect(retried).toMatchObject({ reason: 'mended', actor: { kind: 'person' }, cause: null })

  const { forkRun } = await engine.ask<{ forkRun: { run: { id: string } } }>(
    actor,
    'mutation($id: ID!) { forkRun(input: {id: $id, stepPath: "third", state: {two: "other"}}) { run { id } } }',
    { id },
  )
  await ended(actor, forkRun.run.id)
  const fork = await see(actor, forkRun.run.id)
  expect(fork).toMatchObject({ status: 'COMPLETED', state: { one: 'first 1', two: 'other' } })
  expect(await see(actor, forkRun.run.id, new Date(Date.now() + 60_000))).toEqual(fork)
})

test('what waits for a person is waiting until it is decided, and paused while it is', async () => {
  const actor = await engine.organization('alpha')
  const id = await engine.start(
    actor,
    `format: tutti/1\nname: asks\nsteps:\n  - {name: ask, type: review, question: "Good?", if_rejected: end, output: verdict}\n`,
  )
  await using _worker = engine.work(actor, done)
  const waiting = await engine.event(actor, /^run\.waiting$/, ({ subject }) => subject === `run/${id}`)
  const mutate = (name: string) =>
    engine.ask(actor, `mutation($id: ID!) { ${name}(input: {id: $id}) { run { id } } }`, { id })
  await mutate('pauseRun')
  const paused = await engine.event(actor, /^run\.paused$/)
  await mutate('resumeRun')
  const resumed = await engine.event(actor, /^run\.resumed$/)
  await mutate('cancelRun')
  const present = await see(actor, id)
  expect(present?.status).toBe('CANCELLED')
  expect(await see(actor, id, new Date(Date.now() + 60_000))).toEqual(present)
  const statuses = await Promise.all(
    [waiting, paused, resumed].map(async ({ time }) => (await see(actor, id, time))?.status),
  )
  expect(statuses).toEqual(['WAITING', 'PAUSED', 'WAITING'])
})

test('a run whose time was over ended without its fallback, in the past as well', async () => {
  const actor = await engine.organization('alpha')
  const document = `format: tutti/1\nname: slow\nsteps:
  - {name: first, agent: alpha, output: one}
  - {name: ask, type: review, question: "Good?", if_rejected: end, fallback_action: mend}
  - name: mend
    set:
      mended: "true"\n`
  const id = await engine.start(actor, document)
  await using _worker = engine.work(actor, done)
  await engine.event(actor, /^run\.waiting$/, ({ subject }) => subject === `run/${id}`)
  const { database } = engine.world
  await database.inTenant(actor, (tx) =>
    tx.sql(`update run set status = 'running', timeout_ms = 1, created_at = created_at - interval '1 hour'`),
  )
  expect(await failOverdueRuns({ database })).toBe(1)
  const present = await see(actor, id)
  expect(present).toMatchObject({
    status: 'FAILED',
    error: { code: 'RUN_TIMED_OUT' },
    state: { one: 'first 1' },
  })
  expect(await see(actor, id, new Date(Date.now() + 60_000))).toEqual(present)
})
