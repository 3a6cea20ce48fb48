import { openTail, type Tail } from '@tutti/prisma'
import { testActor } from '@tutti/prisma/testing'
import { bindSubgraph, createLog, type RunningSubgraph } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { workflows } from '../index.ts'
import { findRoom } from './find-room.ts'
import { limitMemoryOf } from './limit-memory.ts'
import { applyDefinitionLimits } from './limits-of-definition.ts'
import { claim, type LimitWorld, openLimitWorld, within } from './testing/limit-world.ts'

const log = createLog('test', 'silent')
let world: LimitWorld
let tail: Tail
let subgraph: RunningSubgraph
let woken = 0

beforeAll(async () => {
  world = await openLimitWorld()
  tail = await openTail(world.database)
  const services = {
    database: world.database,
    tail,
    log,
    secret: 's'.repeat(48),
    wake: () => void (woken += 1),
  }
  subgraph = bindSubgraph(workflows, services, log)
})
afterAll(async () => {
  await tail[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

async function ask(actor: Actor, query: string, variables: Record<string, unknown> = {}) {
  return JSON.parse(JSON.stringify(await subgraph.execute({ query, variables, actor })))
}

const SET = `mutation($input: SetLimitInput!) { setLimit(input: $input) { limit {
  id name source scope counts key workflow { id } agent { id } maxRunning maxStarts perSeconds
  use { underWay waiting startsLeft costUsd } } } }`
const REMOVE = 'mutation($id: ID!) { removeLimit(input: {id: $id}) { limit { id name use { underWay } } } }'

async function set(actor: Actor, input: Record<string, unknown>) {
  const { data, errors } = await ask(actor, SET, { input })
  expect(errors).toBeUndefined()
  return data.setLimit.limit
}

const limitsOf = async (actor: Actor) => {
  const { data } = await ask(
    actor,
    '{ limits { nodes { name maxRunning use { underWay waiting startsLeft costUsd } } } }',
  )
  return data.limits.nodes
}

test('a limit about the organization, a workflow, an agent or a key; setting it again replaces it', async () => {
  const org = await world.organization()
  const [workflow, agent] = [await org.workflow(), await org.agent()]
  const first = await set(org.actor, { name: 'all', maxRunning: 5 })
  expect(first).toMatchObject({ source: 'API', scope: 'ORGANIZATION', counts: 'TASKS', maxRunning: 5 })
  expect(await set(org.actor, { name: 'all', maxRunning: 6 })).toMatchObject({ id: first.id, maxRunning: 6 })
  expect(
    await set(org.actor, { name: 'w', workflowId: workflow, counts: 'RUNS', maxRunning: 1 }),
  ).toMatchObject({
    scope: 'WORKFLOW',
    counts: 'RUNS',
    workflow: { id: workflow },
  })
  expect(await set(org.actor, { name: 'a', agentId: agent, maxStarts: 3, perSeconds: 60 })).toMatchObject({
    scope: 'AGENT',
    agent: { id: agent },
    maxRunning: null,
    maxStarts: 3,
    perSeconds: 60,
    use: { startsLeft: 3 },
  })
  expect(await set(org.actor, { name: 'k', key: 'customer-7', maxRunning: 1 })).toMatchObject({
    scope: 'KEY',
    key: 'customer-7',
  })
  expect(await set(org.actor, { name: 'one' })).toMatchObject({ maxRunning: 1, maxStarts: null })
  expect((await limitsOf(org.actor)).map(({ name }: { name: string }) => name)).toEqual([
    'all',
    'w',
    'a',
    'k',
    'one',
  ])
})

test('how much of each is in use now', async () => {
  const org = await world.organization()
  const [workflow, agent] = [await org.workflow(), await org.agent()]
  await org.limit({ name: 'tasks', maxRunning: 9, rate: { starts: 4, perSeconds: 86_400 } })
  await org.limit({ name: 'agent', scope: 'agent', subject: agent, maxRunning: 9 })
  await org.limit({ name: 'key', scope: 'key', subject: 'k', maxRunning: 9 })
  await org.limit({ name: 'runs', counts: 'runs', maxRunning: 6 })
  await org.limit({ name: 'cost', counts: 'cost', maxCostUsd: 5 })
  await org.strands(2, { workflow, agent, key: 'k' })
  await org.strands(3, { workflow })
  await org.runs(4, { workflow })
  const claimed = await within(world.worker, async (client) =>
    claim(client, await findRoom(client, [org.id], 100)),
  )
  // Five were under way before, so that one of the four runs may begin: it takes a place of the tasks, and no start.
  expect(claimed).toHaveLength(6)
  await org.sql(
    `insert into task_cost (organization_id, task_id, run_id, cost_usd, spent_at)
     values ($1, uuidv7(), uuidv7(), 1.25, now()), ($1, uuidv7(), uuidv7(), 7, now() - interval '2 days')`,
    [org.id],
  )
  const nothing = { underWay: null, waiting: null, startsLeft: null, costUsd: null }
  expect(await limitsOf(org.actor)).toEqual([
    { name: 'tasks', maxRunning: 9, use: { ...nothing, underWay: 6, startsLeft: 2 } },
    { name: 'agent', maxRunning: 9, use: { ...nothing, underWay: 2 } },
    { name: 'key', maxRunning: 9, use: { ...nothing, underWay: 2 } },
    { name: 'runs', maxRunning: 6, use: { ...nothing, underWay: 6, waiting: 3 } },
    { name: 'cost', maxRunning: null, use: { ...nothing, costUsd: 1.25 } },
  ])
})

test('a raised or removed limit lets runs begin that waited, and wakes the workers', async () => {
  const org = await world.organization()
  const workflow = await org.workflow()
  const limit = await set(org.actor, { name: 'runs', counts: 'RUNS', maxRunning: 1 })
  await org.runs(5, { workflow })
  const begin = () =>
    within(world.worker, async (client) => claim(client, await findRoom(client, [org.id], 100)))
  expect(await begin()).toHaveLength(1)
  const before = woken
  await set(org.actor, { name: 'runs', counts: 'RUNS', maxRunning: 3 })
  expect(woken).toBe(before + 1)
  expect(await begin()).toHaveLength(2)
  const { data } = await ask(org.actor, REMOVE, { id: limit.id })
  expect(data.removeLimit.limit).toEqual({ id: limit.id, name: 'runs', use: null })
  expect(await begin()).toHaveLength(2)
  expect((await ask(org.actor, REMOVE, { id: limit.id })).errors).toMatchObject([
    { extensions: { code: 'NOT_FOUND', argument: 'input.id' } },
  ])
  const events = await org.sql<{ change: string }>(
    `select data->>'change' as change from log.event where organization_id = $1 and type = 'limit.changed' order by seq`,
    [org.id],
  )
  expect(events.map(({ change }) => change)).toEqual(['set', 'set', 'removed'])
})

test('this process knows of a limit at once', async () => {
  const org = await world.organization()
  const memory = limitMemoryOf(world.database)
  expect(await memory.limitedOrganizations(world.worker)).not.toContain(org.id)
  await set(org.actor, { name: 'all', maxRunning: 1 })
  expect(await memory.limitedOrganizations(world.worker)).toContain(org.id)
})

test('a lower rate does not fill the bucket again, and a first one begins full', async () => {
  const org = await world.organization()
  const left = async (maxStarts: number, perSeconds = 86_400) =>
    (await set(org.actor, { name: 'rate', maxStarts, perSeconds })).use.startsLeft
  expect(await left(10)).toBe(10)
  await org.sql(
    'update engine_limit set tokens = 4, refilled_at = clock_timestamp() where organization_id = $1',
    [org.id],
  )
  expect(await left(20)).toBe(4)
  expect(await left(3)).toBe(3)
})

test('a definition’s limits replace those of its version before, and are nobody else’s to remove', async () => {
  const org = await world.organization()
  const [one, other] = [await org.workflow(), await org.workflow()]
  const apply = (id: string, name: string, concurrency?: { max: number; key?: string }) =>
    world.database.inTenant(org.actor, (tx) =>
      applyDefinitionLimits(tx, { id, name }, concurrency ? { concurrency } : {}),
    )
  await apply(one, 'one', { max: 2 })
  await apply(other, 'other', { max: 3, key: 'customer' })
  await apply(one, 'one', { max: 5 })
  const read = async () => {
    const { data } = await ask(
      org.actor,
      '{ limits { nodes { id name source counts perKey maxRunning workflow { id } } } }',
    )
    return data.limits.nodes
  }
  const common = { source: 'DEFINITION', counts: 'RUNS' }
  const limits = await read()
  expect(limits).toMatchObject([
    { ...common, name: 'one', perKey: null, maxRunning: 5, workflow: { id: one } },
    { ...common, name: 'other', perKey: 'customer', maxRunning: 3, workflow: { id: other } },
  ])
  expect((await ask(org.actor, REMOVE, { id: limits[0].id })).errors).toMatchObject([
    {
      extensions: { code: 'INVALID_STATE', argument: 'input.id' },
      message: expect.stringContaining('definition'),
    },
  ])
  await apply(one, 'one')
  expect(await read()).toMatchObject([{ name: 'other' }])
})

test('bad input: every mistake with its path, and nothing changes', async () => {
  const org = await world.organization()
  const workflow = await org.workflow()
  const problems = async (input: Record<string, unknown>): Promise<string[]> => {
    const { errors } = await ask(org.actor, SET, { input })
    expect(errors?.[0]?.extensions.code).toBe('BAD_INPUT')
    return errors[0].extensions.problems.map(({ path }: { path: string }) => path)
  }
  expect(await problems({ name: ' ', maxRunning: 0 })).toEqual(['input.name', 'input.maxRunning'])
  expect(await problems({ name: 'x', maxStarts: 5 })).toEqual(['input.perSeconds'])
  expect(await problems({ name: 'x', maxRunning: 1, workflowId: workflow, key: 'k' })).toEqual(['input.key'])
  expect(
    await problems({ name: 'x', counts: 'RUNS', agentId: workflow, maxStarts: 1, perSeconds: 1 }),
  ).toEqual(['input.agentId', 'input.maxStarts'])
  expect(await problems({ name: 'x', counts: 'COST', maxRunning: 1 })).toEqual(['input.counts'])
  expect(await problems({ name: 'a\0b', key: '\ud800', maxRunning: 1 })).toEqual(['input.name', 'input.key'])
  for (const [field, value] of [
    ['workflowId', '00000000-0000-7000-8000-000000000000'],
    ['agentId', workflow],
    ['workflowId', 'nonsense'],
  ] as const) {
    const { errors } = await ask(org.actor, SET, { input: { name: 'x', [field]: value, maxRunning: 1 } })
    expect(errors).toMatchObject([{ extensions: { code: 'NOT_FOUND', argument: `input.${field}` } }])
  }
  expect(await limitsOf(org.actor)).toEqual([])
})

test('only who may write limits does; another organization’s are not there', async () => {
  const [org, stranger] = [await world.organization(), await world.organization()]
  const limit = await set(org.actor, { name: 'all', maxRunning: 5 })
  for (const role of ['operator', 'approver', 'viewer', 'agent'] as const) {
    const actor = testActor(role, org.id)
    for (const [query, variables] of [
      [SET, { input: { name: 'x', maxRunning: 1 } }],
      [REMOVE, { id: limit.id }],
    ] as const)
      expect((await ask(actor, query, variables)).errors).toMatchObject([
        { extensions: { code: 'FORBIDDEN' } },
      ])
  }
  expect(await limitsOf(testActor('viewer', org.id))).toHaveLength(1)
  expect(await limitsOf(stranger.actor)).toEqual([])
  expect((await ask(stranger.actor, REMOVE, { id: limit.id })).errors).toMatchObject([
    { extensions: { code: 'NOT_FOUND' } },
  ])
})
