import { type TestDatabase } from '@tutti/prisma/testing'
import { type Actor, systemActor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AgentsWorld, openAgents } from '../testing/open-agents.ts'
import { scaleAgent } from '../lifecycle/scale-agent.ts'
import { deleteOldLoads } from './delete-old-loads.ts'

let opened: AgentsWorld
let world: TestDatabase
let operator: Actor
beforeAll(async () => {
  opened = await openAgents()
  world = opened.world
  operator = await world.organization('operator')
})
afterAll(() => opened[Symbol.asyncDispose]())

const ask = (query: string, variables: Record<string, unknown> = {}) => opened.ask(operator, query, variables)

async function register(name: string, type = 'a.b'): Promise<string> {
  const document = `metadata: {name: ${name}, type: ${type}, version: "1"}\nresource_requirements: {max_concurrent_tasks: 2}`
  const { data } = await ask(
    'mutation ($document: String!) { registerAgent(input: {document: $document}) { agent { id } } }',
    { document },
  )
  return data.registerAgent.agent.id
}

const SET = `mutation ($input: SetScalingPolicyInput!) { setScalingPolicy(input: $input) { agent { scaling { policy {
  enabled scaleUpThreshold scaleDownThreshold minInstances maxInstances upCooldownSeconds targetResponseSeconds } } } } }`

test('a policy says only what is otherwise, null takes it back, and every mistake is told', async () => {
  const agentId = await register('writer')
  const set = async (policy: object) =>
    (await ask(SET, { input: { agentId, policy } })).data.setScalingPolicy.agent.scaling.policy
  expect(await set({ enabled: true, maxInstances: 8, targetResponseSeconds: 0.5 })).toEqual({
    enabled: true,
    scaleUpThreshold: 0.8,
    scaleDownThreshold: 0.3,
    minInstances: 1,
    maxInstances: 8,
    upCooldownSeconds: 30,
    targetResponseSeconds: 0.5,
  })
  expect(await set({ upCooldownSeconds: 5, enabled: null })).toMatchObject({
    enabled: false,
    maxInstances: 8,
    upCooldownSeconds: 5,
  })
  const wrong = await ask(SET, { input: { agentId, policy: { minInstances: 9, scaleDownThreshold: 0.8 } } })
  expect([wrong.codes, wrong.problems]).toMatchObject([
    ['BAD_INPUT'],
    [{ path: 'input.policy.scaleDownThreshold' }, { path: 'input.policy.minInstances' }],
  ])
  const beyond = await ask(SET, { input: { agentId, policy: { maxInstances: 51, scaleUpThreshold: 2 } } })
  expect([beyond.codes, beyond.problems?.length]).toEqual([['BAD_INPUT'], 2])
})

const SCALING = `query ($id: ID!, $minutes: Int) { agent(id: $id) { scaling {
  last { from to cause reason load } noGrowthBefore noShrinkBefore refusal { wanted } }
  load(minutes: $minutes) { samples instances slots runningAverage runningMax queued queuedMax responseP95Ms } } }`

const minute = (index: number): string => new Date(Date.UTC(2026, 10, 20, 9, index)).toISOString()

/** Records load: `[running, queued, slots]` a minute, from nine o'clock on. */
async function record(agentId: string, load: readonly (readonly [number, number, number])[]): Promise<void> {
  for (const [index, [running, queued, slots]] of load.entries())
    await world.database.inTenant(operator, (tx) =>
      tx.sql(
        `insert into agent_load (organization_id, agent_id, minute, samples, instances, slots, running_average, running_max,
           queued, queued_max) values ($1::uuid, $2::uuid, $3::timestamptz, 12, $4::int, $5::int, $6::float8, $7::int, $8::int, $8::int)
         returning minute`,
        operator.organizationId,
        agentId,
        minute(index),
        slots / 2,
        slots,
        running,
        Math.ceil(running),
        queued,
      ),
    )
}

test('an agent says when it was scaled last, when it may be again, and what its load was', async () => {
  const agentId = await register('reader')
  expect((await ask(SCALING, { id: agentId })).data.agent).toEqual({
    scaling: { last: null, noGrowthBefore: null, noShrinkBefore: null, refusal: null },
    load: [],
  })
  await ask('mutation ($input: ScaleAgentInput!) { scaleAgent(input: $input) { from } }', {
    input: { agentId, instances: 2, reason: 'the campaign' },
  })
  await record(agentId, [[3, 1, 4]])
  await world.database.inTenant(operator, (tx) =>
    tx.sql(
      `update agent_load set minute = date_trunc('minute', now()) where agent_id = $1::uuid returning minute`,
      agentId,
    ),
  )
  const { scaling, load } = (await ask(SCALING, { id: agentId })).data.agent
  expect({ ...scaling, load }).toMatchObject({
    last: { from: 0, to: 2, cause: 'MANUAL', reason: 'the campaign', load: null },
    load: [{ samples: 12, instances: 2, slots: 4, runningAverage: 3, queuedMax: 1 }],
  })
  expect(Date.parse(scaling.noShrinkBefore) - Date.parse(scaling.noGrowthBefore)).toBe(270_000)
  expect((await ask(SCALING, { id: agentId, minutes: 0 })).codes).toEqual(['BAD_INPUT'])
})

const SIMULATE = `query ($input: SimulateScalingInput!) { simulateScaling(input: $input) {
  steps { at instances slots running queued actualInstances actualQueued }
  decisions { at from to reason }
  totals { instanceHours overSeconds underSeconds queueMax queueAverage }
  actual { instanceHours overSeconds underSeconds queueMax queueAverage } } }`

test('a policy over recorded load does what can be worked out by hand', async () => {
  const agentId = await register('answerer', 'sim.one')
  // Two slots of one instance: full from the second minute on, with a queue; empty at the end.
  await record(agentId, [
    [1, 0, 2],
    [2, 4, 2],
    [2, 4, 2],
    [2, 2, 2],
    [2, 0, 2],
    [0, 0, 2],
  ])
  const over = { from: minute(0), to: minute(60) }
  const { data } = await ask(SIMULATE, {
    input: { agentId, ...over, policy: { upCooldownSeconds: 60, downCooldownSeconds: 60 } },
  })
  const { steps, decisions, totals, actual } = data.simulateScaling
  // Came: 1, 6, 2, 0, 0, 0. 6 tasks need 4 instances of 2 to stay below 80%.
  expect(
    steps.map((step: Record<string, number>) => [
      step['instances'],
      step['running'],
      step['queued'],
      step['actualQueued'],
    ]),
  ).toEqual([
    [1, 1, 0, 0],
    [1, 2, 4, 4],
    [4, 6, 0, 4],
    [4, 0, 0, 2],
    [3, 0, 0, 0],
    [2, 0, 0, 0],
  ])
  expect(decisions).toEqual([
    { at: minute(1), from: 1, to: 4, reason: 'queue' },
    { at: minute(3), from: 4, to: 3, reason: 'idle' },
    { at: minute(4), from: 3, to: 2, reason: 'idle' },
    { at: minute(5), from: 2, to: 1, reason: 'idle' },
  ])
  expect(totals).toEqual({
    instanceHours: expect.closeTo(15 / 60),
    overSeconds: 60,
    underSeconds: 180,
    queueMax: 4,
    queueAverage: expect.closeTo(4 / 6),
  })
  expect(actual).toEqual({
    instanceHours: expect.closeTo(6 / 60),
    overSeconds: 240,
    underSeconds: 60,
    queueMax: 4,
    queueAverage: expect.closeTo(10 / 6),
  })
})

test('a policy that changes nothing gives what was; agents of a type are taken together', async () => {
  const load = [
    [1, 0, 4],
    [4, 3, 4],
    [4, 5, 4],
    [4, 0, 4],
    [2.5, 0, 4],
  ] as const
  for (const name of ['first', 'second']) await record(await register(name, 'sim.two'), load)
  const { data } = await ask(SIMULATE, {
    input: {
      agentType: 'sim.two',
      from: minute(0),
      to: minute(60),
      policy: { minInstances: 4, maxInstances: 4 },
    },
  })
  expect(data.simulateScaling.totals).toEqual(data.simulateScaling.actual)
  expect(data.simulateScaling.decisions).toEqual([])
  expect(data.simulateScaling.steps.map(({ queued }: { queued: number }) => queued)).toEqual([0, 6, 10, 0, 0])
})

test('load may be given, in order and not too much of it', async () => {
  const point = (index: number) => ({ at: minute(index), running: 1, queued: 3 })
  const played = await ask(SIMULATE, { input: { load: [point(0), point(1)], tasksPerInstance: 2 } })
  expect(played.data.simulateScaling).toMatchObject({
    decisions: [{ from: 1, to: 3, reason: 'utilisation' }],
    actual: null,
  })
  for (const input of [
    {},
    { load: [point(1), point(0)] },
    { load: [] },
    { load: Array.from({ length: 2_881 }, (_, index) => point(index)) },
    { load: [point(0)], agentType: 'a.b' },
    { agentType: 'a.b', from: minute(1), to: minute(0) },
    { load: [point(0)], policy: { minInstances: 5, maxInstances: 4 } },
  ])
    expect((await ask(SIMULATE, { input })).codes).toEqual(['BAD_INPUT'])
  const nobodys = { agentId: operator.organizationId }
  expect((await ask(SIMULATE, { input: nobodys })).codes).toEqual(['NOT_FOUND'])
})

test('load is kept for 30 days', async () => {
  const agentId = await register('old', 'sim.old')
  await record(agentId, [
    [1, 0, 2],
    [1, 0, 2],
  ])
  await world.database.inTenant(operator, (tx) =>
    tx.sql(
      `update agent_load set minute = now() - case when minute = $2::timestamptz then 31 else 29 end * interval '1 day'
       where agent_id = $1::uuid returning minute`,
      agentId,
      minute(0),
    ),
  )
  expect(await deleteOldLoads(world)).toBe(1)
  const left = await world.database.readTenant(
    operator,
    'select 1 as one from agent_load where agent_id = $1',
    [agentId],
  )
  expect(left).toHaveLength(1)
})

const DECISIONS = `query ($id: ID!, $first: Int, $after: String) { agent(id: $id) { scalingDecisions(first: $first, after: $after) {
  nodes { from to cause reason load by } pageInfo { hasNextPage endCursor } } } }`

test('past decisions are listed with who made them and by what figures, newest first', async () => {
  const agentId = await register('listed')
  const scale = (instances: number, reason: string) =>
    ask('mutation ($input: ScaleAgentInput!) { scaleAgent(input: $input) { from } }', {
      input: { agentId, instances, reason },
    })
  await scale(2, 'the campaign')
  await scale(5, 'more of it')
  const load = { running: 9, queued: 0, responseP95Ms: null, slots: 10, utilisation: 0.9 }
  const request = { agentId, instances: 6, reason: '90% of its slots were taken.' }
  await scaleAgent(world, systemActor(operator.organizationId, 'scaling'), request, { from: 5, load })
  const list = async (page: object) =>
    (await ask(DECISIONS, { id: agentId, ...page })).data.agent.scalingDecisions
  const first = await list({ first: 2 })
  expect(first.nodes).toMatchObject([
    { from: 5, to: 6, cause: 'AUTOMATIC', reason: request.reason, load, by: { kind: 'system' } },
    { from: 2, to: 5, cause: 'MANUAL', reason: 'more of it', load: null, by: { id: operator.id } },
  ])
  expect(first.pageInfo.hasNextPage).toBe(true)
  expect(await list({ after: first.pageInfo.endCursor })).toMatchObject({
    nodes: [{ from: 0, to: 2, cause: 'MANUAL', reason: 'the campaign' }],
    pageInfo: { hasNextPage: false },
  })
  expect((await ask(DECISIONS, { id: agentId, after: 'x' })).codes).toEqual(['CURSOR_INVALID'])
})
