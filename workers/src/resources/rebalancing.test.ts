import { registerAgent, scaleAgent, setRebalancing, setScalingPolicy } from '@tutti/agents/domain'
import { type Database, openData } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { createLog } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { applyWorkflow, startRuns, startTaskRunner } from '@tutti/workflows/domain'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startRebalancing } from './start-rebalancing.ts'

const log = createLog('test', 'silent')
const PATIENCE = { timeout: 60_000, interval: 20 }

let world: TestDatabase
beforeAll(async () => {
  world = await openTestDatabase()
})
afterAll(() => world[Symbol.asyncDispose]())

async function register(actor: Actor, name: string, capabilities: string): Promise<string> {
  const document = `metadata: {name: ${name}, type: a.${name}, version: "1"}
capabilities: [${capabilities}]
resource_requirements: {max_concurrent_tasks: 1000}
executor: {type: builtin, function: echo}
`
  const agentId = (await registerAgent(world, actor, { document })).agent.id
  await scaleAgent(world, actor, { agentId, instances: 1 })
  return agentId
}

async function start(database: Database, actor: Actor, count: number, key: string): Promise<void> {
  const services = { ...world, database, log, wake: () => undefined }
  const document =
    'format: tutti/1\nname: mail\ninputs: [item]\nsteps:\n  - {name: read, capability: reading, input: item, output: one}\n'
  const { id: workflowId } = await applyWorkflow(services, actor, document)
  const requests = Array.from({ length: count }, (_, item) => ({ workflowId, input: { item } }))
  await startRuns(services, actor, requests, (index) => `${key} ${index}`)
}

const read = <Row extends object>(actor: Actor, sql: string) =>
  world.database.readTenant<Row>(actor, sql, [actor.organizationId])

test('of the work of an agent that has too much a share goes to one that has room, as it was planned', async () => {
  const actor = await world.organization('operator')
  const ann = await register(actor, 'ann', 'reading')
  // At most 100 of its 1,000 slots are to be taken, and it gets no more of them.
  await setScalingPolicy(world, actor, {
    agentId: ann,
    policy: { maxInstances: 1, scaleUpThreshold: 0.1, scaleDownThreshold: 0.01 },
  })
  const released = Promise.withResolvers<void>()
  const execute = async () => {
    await released.promise
    return { type: 'succeeded', output: null } as const
  }
  const runner = startTaskRunner({ database: world.database, execute, log, concurrency: 16 }, 50)
  await start(world.database, actor, 150, 'first')
  // It comes later, and is no specialist: what ann can do is ann's unless she gives it away.
  await register(actor, 'bob', 'reading, writing, filing, cooking, typing, mending, selling, driving')
  await setRebalancing(world, actor, { intervalSeconds: 60, applies: true })
  await vi.waitFor(async () => {
    const [row] = await read<{ n: number }>(
      actor,
      `select count(*)::int as n from strand where organization_id = $1 and agent_id is not null and status in ('ready', 'running')`,
    )
    expect(row?.n).toBe(150)
  }, PATIENCE)
  await world.database.inTenant(actor, (tx) =>
    tx.sql(
      'update rebalance_settings set next_at = clock_timestamp() where organization_id = $1::uuid returning id',
      actor.organizationId,
    ),
  )
  await using _one = startRebalancing({ database: world.database, log }, { lookMs: 20 })
  await using _other = startRebalancing({ database: world.database, log }, { lookMs: 20 })
  await vi.waitFor(
    async () =>
      expect(
        await read(
          actor,
          'select agent_id, percent from agent_share where organization_id = $1 and until is null',
        ),
      ).toEqual([{ agent_id: ann, percent: 34 }]),
    PATIENCE,
  )
  expect(await read(actor, 'select status, cause from rebalance where organization_id = $1')).toEqual([
    { status: 'applied', cause: 'schedule' },
  ])
  released.resolve()
  const left = async (): Promise<number | undefined> =>
    (
      await read<{ n: number }>(
        actor,
        `select count(*)::int as n from run where organization_id = $1 and status <> 'completed'`,
      )
    )[0]?.n
  await vi.waitFor(async () => expect(await left()).toBe(0), PATIENCE)
  // Another process, which remembers nothing of who there was before.
  await using data = await openData({ url: world.url, secret: world.secret })
  await using _later = startTaskRunner({ database: data.database, execute, log, concurrency: 16 }, 50)
  await runner[Symbol.asyncDispose]()
  await start(data.database, actor, 100, 'second')
  await vi.waitFor(async () => expect(await left()).toBe(0), PATIENCE)
  const tasks = await read<{ agent: string; reason: string; n: number }>(
    actor,
    `select agent_name as agent, assignment->'reasons'->>0 as reason, count(*)::int as n from task
     where organization_id = $1 group by 1, 2 order by 1, 2`,
  )
  expect(tasks).toEqual([
    { agent: 'ann', reason: 'It alone has the capability.', n: 150 },
    { agent: 'ann', reason: 'The best of 2.', n: expect.any(Number) },
    {
      agent: 'bob',
      reason: 'It takes 34% of the work of "ann" since the last rebalancing.',
      n: expect.any(Number),
    },
  ])
  const [, kept, taken] = tasks
  expect((kept?.n ?? 0) + (taken?.n ?? 0)).toBe(100)
  // 34, and six standard deviations around it.
  expect(taken?.n).toBeGreaterThan(5)
  expect(taken?.n).toBeLessThan(63)
}, 180_000)
