import { randomUUID } from 'node:crypto'
import { registerAgent, restoreAgent, retireAgent, scaleAgent } from '@tutti/agents/domain'
import { type Data, openData } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { createLog } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import {
  applyWorkflow,
  type ClaimedTask,
  idempotencyKey,
  startRuns,
  startTaskRunner,
  type TaskOutcome,
} from '@tutti/workflows/domain'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { startRetirements } from './start-retirements.ts'

const log = createLog('test', 'silent')
const PATIENCE = { timeout: 90_000, interval: 50 }

let world: TestDatabase
const open: AsyncDisposable[] = []
beforeAll(async () => {
  world = await openTestDatabase()
})
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]()
})
afterAll(() => world[Symbol.asyncDispose]())

type Do = (task: ClaimedTask, signal: AbortSignal) => Promise<TaskOutcome>

/** What another process would have: its own pools and memories, its own runner, its own eye on those who leave. */
async function worker(execute: Do, concurrency = 16): Promise<Data> {
  const data = await openData({ url: world.url, secret: world.secret })
  const { database } = data
  const runner = startTaskRunner({ database, execute, log, concurrency }, 200)
  open.push(
    data,
    runner,
    startRetirements({ database, log }, () => runner.wake()),
  )
  return data
}

async function register(actor: Actor, name: string, more: string): Promise<string> {
  const document = `metadata: {name: ${name}, type: a.b, version: "1"}\nexecutor: {type: builtin, function: echo}\n${more}`
  return (await registerAgent(world, actor, { document })).agent.id
}

const DOCUMENT = `
format: tutti/1
name: mail
inputs: [item]
steps:
  - {name: read, capability: reading, input: item, output: one}
  - {name: answer, agent: alpha, input: one, output: two}
`

async function start(actor: Actor, count: number): Promise<void> {
  const services = { ...world, log, wake: () => undefined }
  const { id: workflowId } = await applyWorkflow(services, actor, DOCUMENT)
  const requests = Array.from({ length: count }, (_, item) => ({ workflowId, input: { item } }))
  for (let from = 0; from < count; from += 100)
    await startRuns(services, actor, requests.slice(from, from + 100), String)
}

const statuses = async (actor: Actor): Promise<Record<string, number>> => {
  const rows = await world.database.readTenant<{ status: string; n: number }>(
    actor,
    'select status, count(*)::int as n from run where organization_id = $1 group by status',
    [actor.organizationId],
  )
  return Object.fromEntries(rows.map(({ status, n }) => [status, n]))
}

const retirementOf = async (actor: Actor, agentId: string) => {
  const [row] = await world.database.readTenant<{
    status: string
    agent: string
    handed: number
    state: Record<string, unknown> | null
    instances: number
    allocated: number
  }>(
    actor,
    `select r.status, a.status as agent, r.handed_over as handed, r.final_state as state,
       (select count(*)::int from agent_instance i where i.agent_id = a.id) as instances,
       (select count(*)::int from agent_allocation i where i.agent_id = a.id) as allocated
     from agent_retirement r join agent a on a.organization_id = r.organization_id and a.id = r.agent_id where a.id = $1`,
    [agentId],
  )
  return row
}

const keyOf = (task: ClaimedTask): string =>
  idempotencyKey(task.organizationId, task.runId, task.stepPath, task.generation)

test('an agent leaves while 300 runs are going: none is lost, nothing is done twice, and its state is kept', async () => {
  const actor = await world.organization('operator')
  const alpha = await register(actor, 'alpha', 'capabilities: [reading]')
  const beta = await register(actor, 'beta', 'capabilities: [reading]')
  for (const agentId of [alpha, beta]) await scaleAgent(world, actor, { agentId, instances: 8 })
  const done = new Map<string, number>()
  const by = new Map<string | null, number>()
  let retired: Promise<unknown> | undefined
  const execute: Do = async (task) => {
    done.set(keyOf(task), (done.get(keyOf(task)) ?? 0) + 1)
    by.set(task.agentId, (by.get(task.agentId) ?? 0) + 1)
    if (done.size === 60) retired = retireAgent(world, actor, { id: alpha, reason: 'replaced' })
    await new Promise((resolve) => setTimeout(resolve, 5))
    return { type: 'succeeded', output: task.agentName }
  }
  await start(actor, 300)
  await worker(execute)
  await worker(execute)
  await vi.waitFor(async () => expect(await statuses(actor)).toEqual({ completed: 300 }), PATIENCE)
  await retired
  expect(done.size).toBe(600)
  expect([...done.values()].filter((times) => times > 1)).toEqual([])
  expect(by.get(beta)).toBeGreaterThan(300)
  await vi.waitFor(
    async () =>
      expect(await retirementOf(actor, alpha)).toMatchObject({
        status: 'retired',
        agent: 'retired',
        instances: 0,
        allocated: 0,
        state: { agent: { name: 'alpha' }, versions: [{ number: 1 }], instances: 8 },
      }),
    PATIENCE,
  )
  const left = await retirementOf(actor, alpha)
  expect(left?.handed).toBeGreaterThan(0)
  expect(left?.state?.['work']).toMatchObject({ tasks: { completed: by.get(alpha) }, waiting: 0 })
}, 120_000)

test('what is under way when the time is over goes to another, and the late answer is refused', async () => {
  const actor = await world.organization('operator')
  const alpha = await register(actor, 'alpha', 'capabilities: [reading]')
  await register(actor, 'beta', 'capabilities: [reading]')
  await scaleAgent(world, actor, { agentId: alpha, instances: 1 })
  await start(actor, 1)
  const begun: (string | null)[] = []
  const execute: Do = async (task, signal) => {
    begun.push(task.agentName)
    // It works until it is told to stop.
    if (task.agentName === 'alpha')
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    return { type: 'succeeded', output: task.agentName }
  }
  await world.database.inTenant(actor, (tx) =>
    tx.sql(
      `update task set agent_id = $1::uuid, agent_name = 'alpha' where organization_id = $2::uuid returning id`,
      alpha,
      actor.organizationId,
    ),
  )
  await world.database.inTenant(actor, (tx) =>
    tx.sql(
      `update strand set agent_id = $1::uuid where organization_id = $2::uuid returning id`,
      alpha,
      actor.organizationId,
    ),
  )
  await worker(execute)
  await vi.waitFor(() => expect(begun).toEqual(['alpha']), PATIENCE)
  await retireAgent(world, actor, { id: alpha, timeoutSeconds: 0 })
  await vi.waitFor(async () => expect(await statuses(actor)).toEqual({ completed: 1 }), PATIENCE)
  expect(begun).toEqual(['alpha', 'beta', 'beta'])
  await vi.waitFor(
    async () => expect(await retirementOf(actor, alpha)).toMatchObject({ status: 'retired' }),
    PATIENCE,
  )
}, 120_000)

test('work that nobody else can do waits, and goes on when somebody can', async () => {
  const actor = await world.organization('operator')
  const alpha = await register(actor, 'alpha', 'capabilities: [reading]')
  await retireAgent(world, actor, { id: alpha, timeoutSeconds: 0 })
  const done: (string | null)[] = []
  await worker(async (task) => {
    done.push(task.agentName)
    return { type: 'succeeded', output: null }
  })
  await vi.waitFor(
    async () => expect(await retirementOf(actor, alpha)).toMatchObject({ agent: 'retired' }),
    PATIENCE,
  )
  const before = await statuses(actor)
  await register(actor, 'someone', 'capabilities: [writing]')
  // A definition may not name who is retired; the runs of one that did go on naming it.
  await world.database.inTenant(actor, (tx) =>
    tx.sql('update agent set retired_at = null where id = $1::uuid returning id', alpha),
  )
  await start(actor, 3)
  await world.database.inTenant(actor, (tx) =>
    tx.sql('update agent set retired_at = now() where id = $1::uuid returning id', alpha),
  )
  const waiting = async () =>
    world.database.readTenant(
      actor,
      'select s.status, t.status as task from strand s join task t on t.id = s.task_id where s.organization_id = $1',
      [actor.organizationId],
    )
  expect([before, done, await waiting()]).toEqual([
    {},
    [],
    Array.from({ length: 3 }, () => ({ status: 'ready', task: 'ready' })),
  ])
  await register(actor, 'gamma', 'capabilities: [reading]')
  await vi.waitFor(async () => expect(await statuses(actor)).toEqual({ completed: 3 }), PATIENCE)
  expect(new Set(done)).toEqual(new Set(['gamma']))
}, 120_000)

test('what waited for an agent that is retired goes on when it is restored, within its instances', async () => {
  const actor = await world.organization('operator')
  const alpha = await register(actor, 'alpha', 'capabilities: [reading]')
  await start(actor, 3)
  await retireAgent(world, actor, { id: alpha, timeoutSeconds: 0 })
  let now = 0
  let most = 0
  await worker(async () => {
    now += 1
    most = Math.max(most, now)
    await new Promise((resolve) => setTimeout(resolve, 2))
    now -= 1
    return { type: 'succeeded', output: null }
  })
  await vi.waitFor(
    async () => expect(await retirementOf(actor, alpha)).toMatchObject({ agent: 'retired' }),
    PATIENCE,
  )
  expect((await statuses(actor))['completed']).toBeUndefined()
  await restoreAgent(world, actor, { id: alpha })
  await vi.waitFor(async () => expect(await statuses(actor)).toEqual({ completed: 3 }), PATIENCE)
  expect(most).toBe(1)
}, 120_000)

test('instances bound what is under way over all workers, and scaling down lets what is under way end', async () => {
  const actor = await world.organization('operator')
  const alpha = await register(
    actor,
    'alpha',
    'capabilities: [reading]\nresource_requirements: {max_concurrent_tasks: 2}',
  )
  await scaleAgent(world, actor, { agentId: alpha, instances: 3 })
  await start(actor, 40)
  const now = new Set<string>()
  let most = 0
  let mostAfter = 0
  let scaled = false
  const reached = Promise.withResolvers<void>()
  const execute: Do = async () => {
    const id = randomUUID()
    now.add(id)
    most = Math.max(most, now.size)
    if (scaled) mostAfter = Math.max(mostAfter, now.size)
    // Nobody ends before six are under way at once: less than the bound would not pass either.
    if (now.size === 6) reached.resolve()
    await reached.promise
    await new Promise((resolve) => setTimeout(resolve, 2))
    now.delete(id)
    return { type: 'succeeded', output: null }
  }
  await worker(execute)
  await worker(execute)
  await reached.promise
  await scaleAgent(world, actor, { agentId: alpha, instances: 1 })
  await vi.waitFor(() => expect(now.size).toBeLessThanOrEqual(2), PATIENCE)
  scaled = true
  await vi.waitFor(async () => expect(await statuses(actor)).toEqual({ completed: 40 }), PATIENCE)
  expect(most).toBe(6)
  expect(mostAfter).toBeLessThanOrEqual(2)
}, 120_000)
