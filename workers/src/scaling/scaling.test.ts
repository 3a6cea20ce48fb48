import { registerAgent, scaleAgent, scaleByLoad, setScalingPolicy } from '@tutti/agents/domain'
import { type Data, openData } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { createLog } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { applySettings, applyWorkflow, startRuns, startTaskRunner } from '@tutti/workflows/domain'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { startScaling } from './start-scaling.ts'

const log = createLog('test', 'silent')
const PATIENCE = { timeout: 60_000, interval: 20 }

let world: TestDatabase
const open: AsyncDisposable[] = []
beforeAll(async () => {
  world = await openTestDatabase()
})
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]()
})
afterAll(() => world[Symbol.asyncDispose]())

/** What another process would have, with its own eye on the load. */
async function worker(execute: () => Promise<void>): Promise<Data> {
  const data = await openData({ url: world.url, secret: world.secret })
  const { database } = data
  const done = async () => {
    await execute()
    return { type: 'succeeded', output: null } as const
  }
  open.push(
    data,
    startTaskRunner({ database, execute: done, log, concurrency: 64 }, 50),
    startScaling({ database, log }, { lookMs: 20 }),
  )
  return data
}

async function register(actor: Actor, name: string, type = 'a.b'): Promise<string> {
  const document = `metadata: {name: ${name}, type: ${type}, version: "1"}\nexecutor: {type: builtin, function: echo}\n`
  return (await registerAgent(world, actor, { document })).agent.id
}

async function start(actor: Actor, count: number): Promise<void> {
  const services = { ...world, log, wake: () => undefined }
  const document =
    'format: tutti/1\nname: mail\ninputs: [item]\nsteps:\n  - {name: read, agent: reader, input: item, output: one}\n'
  const { id: workflowId } = await applyWorkflow(services, actor, document)
  const requests = Array.from({ length: count }, (_, item) => ({ workflowId, input: { item } }))
  await startRuns(services, actor, requests, String)
}

const changes = (actor: Actor) =>
  world.database.readTenant<{ by: string; from: number; to: number; cause: string | null; load: unknown }>(
    actor,
    `select actor->>'name' as by, (data->>'from')::int as "from", (data->>'to')::int as "to", data->>'cause' as cause,
       data->'load' as load
     from log.event where organization_id = $1 and type = 'agent.scaled' order by seq`,
    [actor.organizationId],
  )

const left = async (actor: Actor): Promise<number> => {
  const [row] = await world.database.readTenant<{ n: number }>(
    actor,
    `select count(*)::int as n from run where organization_id = $1 and status <> 'completed'`,
    [actor.organizationId],
  )
  return row?.n ?? 0
}

const SETTINGS =
  'orchestrator_config: {resource_management: {auto_scaling_enabled: true, scale_up_threshold: 0.8, scale_down_threshold: 0.3, max_agents_per_type: 6}}'

test('load grows: so do the instances, once for all processes, and more is done at once; it falls: one after another goes', async () => {
  const actor = await world.organization('operator')
  await applySettings({ ...world, wake: () => undefined }, actor, SETTINGS)
  const agentId = await register(actor, 'reader')
  await scaleAgent(world, actor, { agentId, instances: 1 })
  await setScalingPolicy(world, actor, {
    agentId,
    policy: { upCooldownSeconds: 0, downCooldownSeconds: 0.2 },
  })
  await start(actor, 40)
  let now = 0
  let most = 0
  const filled = Promise.withResolvers<void>()
  const execute = async (): Promise<void> => {
    most = Math.max(most, ++now)
    // Six at once are more than the one instance could: nobody ends before the instances are there, and seen at work.
    if (now === 6) vi.waitFor(seenSix, PATIENCE).then(filled.resolve, filled.reject)
    await filled.promise
    now -= 1
  }
  const measured = () =>
    world.database.readTenant<{ most: number; queued: number }>(
      actor,
      'select max(running_max) as most, max(queued_max) as queued from agent_load where organization_id = $1 and agent_id = $2',
      [actor.organizationId, agentId],
    )
  const seenSix = async () => expect((await measured())[0]?.most).toBe(6)
  await worker(execute)
  await worker(execute)
  await vi.waitFor(async () => expect(await left(actor)).toBe(0), PATIENCE)
  expect(most).toBe(6)
  await vi.waitFor(async () => expect(await changes(actor)).toHaveLength(7), PATIENCE)
  const [manual, ...automatic] = await changes(actor)
  expect(manual).toMatchObject({ from: 0, to: 1, cause: null })
  expect(automatic.map(({ from, to }) => [from, to])).toEqual([
    [1, 6],
    [6, 5],
    [5, 4],
    [4, 3],
    [3, 2],
    [2, 1],
  ])
  for (const each of automatic) expect(each).toMatchObject({ by: 'scaling', cause: 'automatic' })
  expect(automatic[0]?.load).toMatchObject({ slots: 1 })
  // The last task may still have been under way.
  expect(automatic[1]?.load).toMatchObject({ queued: 0, slots: 6 })
  expect(await measured()).toEqual([{ most: 6, queued: expect.any(Number) }])
}, 90_000)

test('two that look at the same load decide once, and an agent without instances, or not to be scaled, is left alone', async () => {
  const actor = await world.organization('operator')
  const agentId = await register(actor, 'reader')
  await register(actor, 'unbound')
  const quiet = await register(actor, 'quiet')
  for (const id of [agentId, quiet]) await scaleAgent(world, actor, { agentId: id, instances: 1 })
  await setScalingPolicy(world, actor, {
    agentId,
    policy: { enabled: true, maxInstances: 3, upCooldownSeconds: 0 },
  })
  await start(actor, 30)
  await Promise.all([scaleByLoad(world), scaleByLoad(world)])
  expect((await changes(actor)).map(({ from, to }) => [from, to])).toEqual([
    [0, 1],
    [0, 1],
    [1, 3],
  ])
})

test('agents of a type share its bounds, and what a quota refuses is kept with the agent', async () => {
  const actor = await world.organization('operator')
  await applySettings(
    { ...world, wake: () => undefined },
    actor,
    SETTINGS.replace('max_agents_per_type: 6', 'min_agents_per_type: 5'),
  )
  for (const name of ['one', 'two'])
    await scaleAgent(world, actor, { agentId: await register(actor, name), instances: 1 })
  await scaleByLoad(world)
  expect((await changes(actor)).map(({ from, to }) => [from, to])).toEqual([
    [0, 1],
    [0, 1],
    [1, 4],
  ])
  await world.database.inTenant(actor, (tx) =>
    tx.sql(
      'insert into agent_quota (organization_id, max_instances) values ($1::uuid, 5) returning id',
      actor.organizationId,
    ),
  )
  const other = await register(actor, 'three', 'c.d')
  await setScalingPolicy(world, actor, { agentId: other, policy: { minInstances: 2 } })
  await world.database.inTenant(actor, (tx) =>
    tx.sql(
      `insert into agent_instance (organization_id, agent_id, status) values ($1::uuid, $2::uuid, 'ready') returning id`,
      actor.organizationId,
      other,
    ),
  )
  expect((await scaleByLoad(world)).refused).toBeGreaterThan(0)
  const rows = await world.database.readTenant(
    actor,
    `select refusal->>'wanted' as wanted, refusal->>'message' as message from agent_scaling where refusal is not null`,
  )
  expect(rows).toEqual([{ wanted: '5', message: expect.stringContaining('do not fit') }])
})
