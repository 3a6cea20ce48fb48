import { registerAgent } from '@tutti/agents/domain'
import { openTail, type Tail } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { createKms, createLog } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { ClaimedTask, ExecuteTask } from '@tutti/workflows/domain'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createExecutor } from './create-executor.ts'
import { type Egress, openEgress } from './open-egress.ts'

let world: TestDatabase
let tail: Tail
let egress: Egress
let actor: Actor
/** As a process does that has just started and remembers no agent. */
let fresh: () => ExecuteTask

beforeAll(async () => {
  world = await openTestDatabase()
  tail = await openTail(world.database)
  egress = openEgress({ allowLocal: false })
  actor = await world.organization('operator')
  const log = createLog('test', 'silent')
  const { database, secret } = world
  const services = {
    database,
    tail,
    log,
    secret,
    kms: createKms({ secret }),
    models: {},
    allowLocalAgents: false,
  }
  fresh = () => createExecutor(services, egress, { append: () => undefined })
})
afterAll(async () => {
  await egress[Symbol.asyncDispose]()
  await tail[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

async function register(name: string, executor: string): Promise<string> {
  const document = `
metadata: { name: ${name}, type: service.sentiment, version: 1.0.0 }
${executor}`
  return (await registerAgent(world, actor, { document })).agent.id
}

const taskOf = (agentId: string | null): ClaimedTask => ({
  organizationId: actor.organizationId,
  id: '01990000-0000-7000-8000-000000000001',
  runId: '01990000-0000-7000-8000-000000000002',
  stepPath: 'read',
  nodeId: 'read',
  kind: 'agent',
  generation: 0,
  strandId: '01990000-0000-7000-8000-000000000004',
  agentId,
  agentName: 'reader',
  attempt: 1,
  timeoutMs: 1_000,
  fence: 1n,
  input: { message: 'I love it' },
  workflowId: '01990000-0000-7000-8000-000000000003',
  workflowName: 'read',
})
const execute = (agentId: string | null) => fresh()(taskOf(agentId), AbortSignal.timeout(10_000))

test('an agent that was retired does a task that was claimed before: claims know, and what was claimed is not lost', async () => {
  const id = await register('reader', 'executor: { type: builtin, function: sentiment }')
  expect(await execute(id)).toMatchObject({ type: 'succeeded' })
  await world.database.inTenant(actor, (tx) =>
    tx.sql(`update agent set status = 'retired', retired_at = now() where id = $1::uuid returning id`, id),
  )
  expect(await execute(id)).toMatchObject({ type: 'succeeded' })
})

test.each([
  ['nobody of that name', async () => null, 'AGENT_NOT_FOUND'],
  ['an agent of another place', async () => '01990000-0000-7000-8000-00000000000f', 'NOT_FOUND'],
  ['an agent without an executor', () => register('unbound', ''), 'AGENT_UNBOUND'],
])('%s fails without another attempt', async (_, agent, code) => {
  expect(await execute(await agent())).toMatchObject({ type: 'failed', error: { code, retryable: false } })
})

test('the task is told by which version of its agent it is done', async () => {
  await register('versioned', 'executor: { type: builtin, function: echo }')
  const id = await register('versioned', 'executor: { type: builtin, function: noop }')
  const task = taskOf(id)
  await fresh()(task, AbortSignal.timeout(10_000))
  expect(task.agentVersion).toBe(2)
})
