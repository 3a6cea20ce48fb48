import { openTail, type Tail } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase, testActor } from '@tutti/prisma/testing'
import { bindSubgraph, createLog, type RunningSubgraph } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { resumeTask } from './resume-task.ts'
import { workflows } from '../index.ts'
import type { TaskOutcome } from './worker/outcome.ts'
import type { ExecuteTask } from './worker/attempt.ts'
import { startTaskRunner } from './worker/task-runner.ts'

const log = createLog('test', 'silent')
let world: TestDatabase
let tail: Tail
let subgraph: RunningSubgraph

beforeAll(async () => {
  world = await openTestDatabase()
  tail = await openTail(world.database)
  subgraph = bindSubgraph(
    workflows,
    { database: world.database, tail, log, secret: world.secret, wake: () => undefined },
    log,
  )
})
afterAll(async () => {
  await tail[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

async function ask(actor: Actor, query: string, variables: Record<string, unknown> = {}) {
  const result = await subgraph.execute({ query, variables, actor })
  if (result.errors) throw new Error(JSON.stringify(result.errors))
  return JSON.parse(JSON.stringify(result.data))
}

async function withAgents(actor: Actor, ...names: string[]): Promise<void> {
  await world.database.inTenant(actor, (tx) =>
    tx.db.agent.createMany({
      data: names.map((name) => ({
        organizationId: actor.organizationId,
        name,
        type: 'test',
        version: '1',
        executor: {},
        configuration: {},
        configurationHash: name,
      })),
    }),
  )
}

const steps = (text: string): string =>
  `name: flow\ninputs: [message]\nerror_handling:\n  retry_attempts: 2\nsteps:\n${text}`
const TWO_STEPS = steps(`  - {name: first, agent: alpha, input: message, output: one, retry_delay_seconds: 0}
  - {name: second, agent: beta, input: one, output: two}`)

async function start(actor: Actor, document: string, input: object = { message: 'hello' }): Promise<string> {
  await ask(
    actor,
    'mutation($document: String!) { applyWorkflow(input: {document: $document}) { changed } }',
    { document },
  )
  const data = await ask(
    actor,
    'mutation($input: JSON!) { startRun(input: {workflowName: "flow", input: $input}) { created run { id status } } }',
    { input },
  )
  return data.startRun.run.id
}

/** Runs workers until the run has ended or waits. */
async function work(
  actor: Actor,
  runId: string,
  execute: ExecuteTask,
  until = /completed|failed|cancelled/,
  concurrency = 64,
) {
  await using _runner = startTaskRunner({ database: world.database, execute, log, concurrency })
  const feed = tail.subscribe({ organizationId: actor.organizationId }, { after: '0000000000000' })
  for await (const event of feed) {
    if (event.subject === `run/${runId}` && until.test(event.type)) break
  }
  const { run } = await ask(
    actor,
    'query($id: ID!) { run(id: $id) { status state output error { code message } tasks { id stepPath status attempt output error { code } } } }',
    { id: runId },
  )
  return run
}

test('a run goes through its steps, the output of one being the input of the next', async () => {
  const actor = await world.organization()
  await withAgents(actor, 'alpha', 'beta')
  const id = await start(actor, TWO_STEPS)
  const run = await work(actor, id, async (task) => ({
    type: 'succeeded',
    output: { of: task.agentName, got: task.input },
  }))
  expect(run).toMatchObject({
    status: 'COMPLETED',
    state: { two: { of: 'beta', got: { one: { of: 'alpha' } } } },
  })
  expect(run.tasks.map((task: { status: string }) => task.status)).toEqual(['COMPLETED', 'COMPLETED'])
})

test('a failing step is tried again, and a step that keeps failing fails the run', async () => {
  const actor = await world.organization()
  await withAgents(actor, 'alpha', 'beta')
  const id = await start(actor, TWO_STEPS)
  const outcomes: TaskOutcome[] = []
  const run = await work(actor, id, async (task) => {
    const outcome: TaskOutcome =
      task.agentName === 'alpha' && task.attempt > 1
        ? { type: 'succeeded', output: 'late but well' }
        : { type: 'failed', error: { code: 'NO', message: 'no', retryable: task.agentName === 'alpha' } }
    outcomes.push(outcome)
    return outcome
  })
  expect(run).toMatchObject({ status: 'FAILED', error: { code: 'NO' }, state: { one: 'late but well' } })
  expect(outcomes.map((outcome) => outcome.type)).toEqual(['failed', 'succeeded', 'failed'])
})

test('a task that waits for a person goes on with the decision', async () => {
  const actor = await world.organization()
  await withAgents(actor, 'alpha', 'beta')
  const id = await start(actor, TWO_STEPS)
  const approvalId = '00000000-0000-4000-8000-00000000000a'
  const execute: ExecuteTask = async (task) =>
    task.agentName === 'alpha' && !task.input['$decision']
      ? { type: 'waiting', approvalId }
      : { type: 'succeeded', output: task.input['$decision'] ?? 'done' }
  const waiting = await work(actor, id, execute, /waiting/)
  expect(waiting).toMatchObject({ status: 'WAITING', tasks: [{ status: 'WAITING' }] })
  const decision = {
    approvalId,
    decision: 'approved',
    decidedBy: 'ann',
    comment: null,
    arguments: {},
  } as const
  const answers = await Promise.all(
    [1, 2, 3].map(() => resumeTask({ database: world.database }, actor, waiting.tasks[0].id, decision)),
  )
  expect(answers.filter(Boolean)).toHaveLength(1)
  expect(await work(actor, id, execute)).toMatchObject({
    status: 'COMPLETED',
    state: { one: { decidedBy: 'ann' } },
  })
})

test('a result that PostgreSQL cannot store fails its own step and no other', async () => {
  const actor = await world.organization()
  await withAgents(actor, 'alpha', 'beta')
  const [bad, good] = [await start(actor, TWO_STEPS), await start(actor, TWO_STEPS, { message: 'good' })]
  const execute: ExecuteTask = async (task) => ({
    type: 'succeeded',
    output: task.input['message'] === 'hello' ? 'a \u0000 b' : 'fine',
  })
  expect(await work(actor, bad, execute)).toMatchObject({
    status: 'FAILED',
    error: { code: 'RESULT_NOT_STORABLE' },
  })
  expect(await work(actor, good, execute)).toMatchObject({ status: 'COMPLETED' })
})

test('a cancelled run refuses the late answer of its running task', async () => {
  const actor = await world.organization()
  await withAgents(actor, 'alpha', 'beta')
  const id = await start(actor, TWO_STEPS)
  let begun: () => void = () => undefined
  const hasBegun = new Promise<void>((resolve) => (begun = resolve))
  let release: () => void = () => undefined
  const released = new Promise<void>((resolve) => (release = resolve))
  const working = work(actor, id, async () => {
    begun()
    await released
    return { type: 'succeeded', output: 'too late' }
  })
  await hasBegun
  await ask(
    actor,
    'mutation($id: ID!) { cancelRun(input: {id: $id, reason: "enough"}) { run { status } } }',
    { id },
  )
  release()
  expect(await working).toMatchObject({
    status: 'CANCELLED',
    state: {},
    tasks: [{ status: 'CANCELLED', output: null }],
  })
})

test('an older run ends before a younger one begins, when there are hands for one only', async () => {
  const actor = await world.organization()
  await withAgents(actor, 'alpha', 'beta')
  const [older, younger] = [await start(actor, TWO_STEPS), await start(actor, TWO_STEPS, { message: 'b' })]
  const order: string[] = []
  await work(
    actor,
    younger,
    async (task) => {
      order.push(task.runId)
      // Longer than a worker stays with one run, so that the second step goes back to the queue.
      await new Promise((resolve) => setTimeout(resolve, 60))
      return { type: 'succeeded', output: null }
    },
    /completed/,
    1,
  )
  expect(order).toEqual([older, older, younger, younger])
})

test('an idempotency key starts one run, and refuses another input', async () => {
  const actor = await world.organization()
  await withAgents(actor, 'alpha', 'beta')
  await start(actor, TWO_STEPS)
  const once = (input: object) =>
    subgraph.execute({
      query: `mutation($input: JSON!) { startRun(input: {workflowName: "flow", input: $input, idempotencyKey: "k"}) { created run { id } } }`,
      variables: { input },
      actor,
    })
  const results = await Promise.all([1, 2, 3, 4].map(() => once({ message: 'a', extra: 1 })))
  const runs = results.map((result) => JSON.parse(JSON.stringify(result.data)).startRun)
  expect(new Set(runs.map((run) => run.run.id)).size).toBe(1)
  expect(runs.filter((run) => run.created)).toHaveLength(1)
  expect((await once({ extra: 1, message: 'a' })).errors).toBeUndefined()
  expect((await once({ message: 'b' })).errors?.[0]?.extensions['code']).toBe('IDEMPOTENCY_KEY_REUSED')
})

test('another organization neither sees a run nor can stop it', async () => {
  const actor = await world.organization()
  await withAgents(actor, 'alpha', 'beta')
  const id = await start(actor, TWO_STEPS)
  const stranger = testActor('admin')
  expect(await ask(stranger, 'query($id: ID!) { run(id: $id) { id } }', { id })).toEqual({ run: null })
  const cancel = 'mutation($id: ID!) { cancelRun(input: {id: $id}) { run { id } } }'
  const foreign = await subgraph.execute({ query: cancel, variables: { id }, actor: stranger })
  const random = await subgraph.execute({
    query: cancel,
    variables: { id: '00000000-0000-4000-8000-000000000000' },
    actor: stranger,
  })
  expect(JSON.stringify(foreign)).toBe(JSON.stringify(random))
})
