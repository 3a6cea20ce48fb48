import { type TestDatabase } from '@tutti/prisma/testing'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { registerAgent } from '../../agents/register-agent.ts'
import { type AgentsWorld, openAgents } from '../../testing/open-agents.ts'
import { scaleAgent } from '../../lifecycle/scale-agent.ts'
import { setScalingPolicy } from '../../scaling/set-scaling-policy.ts'
import { rebalanceBySchedule } from './rebalance-by-schedule.ts'

let opened: AgentsWorld
let world: TestDatabase
let admin: Actor
beforeAll(async () => {
  opened = await openAgents()
  world = opened.world
})
beforeEach(async () => {
  admin = await world.organization('admin')
})
afterAll(() => opened[Symbol.asyncDispose]())

const ask = (query: string, variables: Record<string, unknown> = {}, actor = admin) =>
  opened.ask(actor, query, variables)

interface Given {
  capabilities?: string
  instances: number
  /** Tasks under way and waiting in each of the last minutes. */
  tasks: number
  policy?: Parameters<typeof setScalingPolicy>[2]['policy']
}

/** An agent whose instances take ten tasks each, with load, scaled long ago. */
async function given(name: string, { capabilities = 'typing', instances, tasks, policy = {} }: Given) {
  const document = `
metadata: { name: ${name}, type: test.${name}, version: 1.0.0 }
capabilities: [${capabilities}]
resource_requirements: { max_concurrent_tasks: 10 }
executor: { type: builtin, function: sentiment }
`
  const { agent } = await registerAgent(world, admin, { document })
  await scaleAgent(world, admin, { agentId: agent.id, instances })
  await setScalingPolicy(world, admin, { agentId: agent.id, policy: { downCooldownSeconds: 0, ...policy } })
  await world.database.transact(admin, (client) =>
    client.query(
      `insert into agent_load (organization_id, agent_id, minute, samples, instances, slots, running_average, running_max,
         queued, queued_max)
       select $1, $2, date_trunc('minute', clock_timestamp()) - m * interval '1 minute', 12, $3::int, 10 * $3::int, $4, 10, 0, 0
       from generate_series(1, 10) m`,
      [admin.organizationId, agent.id, instances, tasks],
    ),
  )
  return agent.id
}

const ACTIONS = `actions { action name agent { name } taker { name } from to reason refusal
  figures { tasksNow slots utilisation } takerFigures { slots } } overloaded { name tasks because }`
const plan = async () => (await ask(`{ planRebalance { ${ACTIONS} } }`)).data.planRebalance
const rebalance = async (idempotencyKey?: string) =>
  (
    await ask(
      `mutation ($input: RebalanceInput!) { rebalance(input: $input) { created rebalance { id status cause ${ACTIONS} } } }`,
      { input: { idempotencyKey } },
    )
  ).data.rebalance
interface Done {
  action: string
  name: string
  taker: { name: string } | null
  from: number
  to: number
}
const shortly = (actions: Done[]) =>
  actions.map(({ action, name, taker, from, to }) => [
    action,
    taker ? `${name} > ${taker.name}` : name,
    from,
    to,
  ])
const events = (type: string) =>
  world.database.readTenant<{ data: { actions: object[]; reason?: string }; actor: { name: string } }>(
    admin,
    'select data, actor from log.event where organization_id = $1 and type = $2 order by seq',
    [admin.organizationId, type],
  )

test('a plan says what would be done and why, and changes nothing; done, it is kept, and nothing is left to do', async () => {
  await given('busy', { instances: 1, tasks: 20, policy: { maxInstances: 1 } })
  await given('free', { instances: 2, tasks: 0, capabilities: 'typing, filing' })
  await given('idle', { instances: 3, tasks: 1, capabilities: 'cooking' })
  const planned = await plan()
  expect(shortly(planned.actions)).toEqual([
    ['SHRINK', 'idle', 3, 1],
    ['MIGRATE', 'busy > free', 0, 60],
  ])
  expect(planned).toMatchObject({
    actions: [
      { reason: 'Its 1 tasks take no more than 30% of 30 slots.', figures: { tasksNow: 1, slots: 30 } },
      {
        reason:
          'Its 20 tasks (now) take 200% of 10 slots; it is to be 80% at most. "free" has the same capabilities, and room.',
        figures: { tasksNow: 20, utilisation: 2 },
        takerFigures: { slots: 20 },
      },
    ],
    overloaded: [],
  })
  expect(await plan()).toEqual(planned)
  const done = await rebalance('tonight')
  expect(done).toMatchObject({
    created: true,
    rebalance: { ...planned, status: 'APPLIED', cause: 'REQUEST' },
  })
  const { data } = await ask(
    '{ agents { nodes { name instances { ready } workShares { to { name } percent } } } rebalances { nodes { id } } }',
  )
  expect(data.agents.nodes).toEqual([
    { name: 'busy', instances: { ready: 1 }, workShares: [{ to: { name: 'free' }, percent: 60 }] },
    { name: 'free', instances: { ready: 2 }, workShares: [] },
    { name: 'idle', instances: { ready: 1 }, workShares: [] },
  ])
  expect(data.rebalances.nodes).toEqual([{ id: done.rebalance.id }])
  const [event] = await events('rebalance.applied')
  expect(event?.data.actions).toMatchObject([{ action: 'shrink' }, { action: 'migrate', from: 0, to: 60 }])
  expect((await events('agent.scaled')).at(-1)?.data.reason).toBe(
    'Its 1 tasks take no more than 30% of 30 slots.',
  )
  expect(await rebalance('tonight')).toEqual({ ...done, created: false })
})

test('of what others take the load that would be is told: a share stays while it is needed, and is taken back after', async () => {
  const busy = await given('busy', { instances: 1, tasks: 20, policy: { maxInstances: 1 } })
  const free = await given('free', { instances: 2, tasks: 0 })
  await rebalance()
  const load = (tasks: Record<string, number>) =>
    Promise.all(
      Object.entries(tasks).map(([id, amount]) =>
        world.database.transact(admin, async (client) => {
          // As if the share were older than the load.
          await client.query(
            `update agent_share set since = since - interval '1 day' where organization_id = $1`,
            [admin.organizationId],
          )
          await client.query(
            'update agent_load set running_average = $3 where organization_id = $1 and agent_id = $2',
            [admin.organizationId, id, amount],
          )
        }),
      ),
    )
  await load({ [busy]: 8, [free]: 12 })
  expect((await plan()).actions).toEqual([])
  await load({ [busy]: 2, [free]: 3 })
  expect(shortly((await plan()).actions)).toEqual([
    ['SHRINK', 'free', 2, 1],
    ['MIGRATE', 'busy > free', 60, 0],
  ])
  expect(shortly((await rebalance()).rebalance.actions)).toHaveLength(2)
  expect((await ask('{ agents { nodes { workShares { percent } } } }')).data.agents.nodes).toEqual([
    { workShares: [] },
    { workShares: [] },
  ])
})

test('quotas, bounds and money hold, and who is left with too much is named', async () => {
  await given('busy', { instances: 1, tasks: 20 })
  await ask('mutation { setQuota(input: { maxInstances: 2 }) { quota { id } } }')
  const bounded = await plan()
  expect(shortly(bounded.actions)).toEqual([['GROW', 'busy', 1, 2]])
  expect(bounded.overloaded).toEqual([
    { name: 'busy', tasks: 4, because: 'A quota has no room for more of its instances.' },
  ])
  await ask('mutation { setQuota(input: {}) { quota { id } } }')
  expect(shortly((await plan()).actions)).toEqual([['GROW', 'busy', 1, 3]])
  await ask('mutation { setBudget(input: { name: "b", window: TOTAL, maxUsd: 0 }) { budget { id } } }')
  expect(await plan()).toMatchObject({
    actions: [],
    overloaded: [{ because: 'A budget has nothing left for it.' }],
  })
})

test('what is expected of the next 24 hours counts', async () => {
  const id = await given('daily', { instances: 1, tasks: 1 })
  // A week ago, in three hours, there was much to do.
  await world.database.transact(admin, (client) =>
    client.query(
      `insert into agent_load (organization_id, agent_id, minute, samples, instances, slots, running_average, running_max, queued,
         queued_max)
       select $1, $2, m, 12, 1, 10, case when m = date_trunc('hour', now()) - interval '165 hours' then 22 else 1 end, 22, 0, 0
       from generate_series(date_trunc('hour', now()) - interval '8 days', date_trunc('hour', now()) - interval '1 hour',
         interval '1 hour') m on conflict do nothing`,
      [admin.organizationId, id],
    ),
  )
  const { actions } = await plan()
  expect(shortly(actions)).toEqual([['GROW', 'daily', 1, 3]])
  expect(actions[0].reason).toContain('expected at the peak of the next 24 hours')
})

test('a deployment under way is no obstacle to the others, and says so', async () => {
  await given('idle', { instances: 3, tasks: 1, capabilities: 'cooking' })
  await given('lazy', { instances: 2, tasks: 1, capabilities: 'filing' })
  await world.database.inTenant(admin, (tx) =>
    tx.sql(
      `insert into agent_deployment (organization_id, agent_id, agent_name, is_new, request, status, stages, requested_by)
       select organization_id, id, name, false, '{}', 'running', '[]', '{}' from agent
       where organization_id = $1::uuid and name = 'idle' returning id`,
      admin.organizationId,
    ),
  )
  expect((await rebalance()).rebalance.actions).toMatchObject([
    { name: 'idle', refusal: 'A deployment of the agent is under way.' },
    { name: 'lazy', refusal: null },
  ])
})

test('two at once change everything once', async () => {
  await given('busy', { instances: 1, tasks: 20, policy: { maxInstances: 1 } })
  await given('free', { instances: 2, tasks: 0 })
  const done = await Promise.all([rebalance(), rebalance(), rebalance('key'), rebalance('key')])
  const made = done.filter(({ created }) => created)
  expect(made).toHaveLength(3)
  expect(
    made.map(({ rebalance: { actions } }) => actions.length).toSorted((left, right) => left - right),
  ).toEqual([0, 0, 1])
})

test('by its settings an organization is rebalanced when its time has come, once for all processes, or only told', async () => {
  await given('busy', { instances: 1, tasks: 20, policy: { maxInstances: 1 } })
  await given('free', { instances: 2, tasks: 0 })
  const set = (input: object) =>
    ask(
      `mutation ($input: SetRebalancingInput!) { setRebalancing(input: $input) { rebalancing { intervalSeconds applies nextAt } } }`,
      { input },
    )
  const isDue = () =>
    world.database.inTenant(admin, (tx) =>
      tx.sql(
        `update rebalance_settings set next_at = clock_timestamp() where organization_id = $1::uuid returning id`,
        admin.organizationId,
      ),
    )
  const kept = async () => {
    const { data } = await ask('{ rebalances { nodes { status cause requestedBy actions { to } } } }')
    return data.rebalances.nodes
  }
  expect((await ask('{ rebalancing { intervalSeconds applies nextAt } }')).data.rebalancing).toEqual({
    intervalSeconds: null,
    applies: false,
    nextAt: null,
  })
  expect((await set({ intervalSeconds: 59 })).codes).toEqual(['BAD_INPUT'])
  expect((await set({ intervalSeconds: 3600 })).data.setRebalancing.rebalancing).toMatchObject({
    applies: false,
    nextAt: expect.any(String),
  })
  await rebalanceBySchedule(world)
  expect(await kept()).toEqual([])
  await isDue()
  expect(
    (await Promise.all([rebalanceBySchedule(world), rebalanceBySchedule(world)])).map(({ errors }) => errors),
  ).toEqual([[], []])
  expect(await kept()).toMatchObject([
    { status: 'PLANNED', cause: 'SCHEDULE', requestedBy: { name: 'rebalancing' } },
  ])
  expect(await events('rebalance.planned')).toHaveLength(1)
  await set({ intervalSeconds: 3600, applies: true })
  for (let turn = 0; turn < 2; turn += 1) {
    await isDue()
    await rebalanceBySchedule(world)
  }
  // The second time nothing was to be done.
  expect((await kept()).map(({ status }: { status: string }) => status)).toEqual(['APPLIED', 'PLANNED'])
  expect((await plan()).actions).toEqual([])
  await set({})
  expect(await isDue()).toHaveLength(1)
  await set({})
  const { data } = await ask('{ rebalancing { intervalSeconds nextAt } }')
  expect(data.rebalancing).toEqual({ intervalSeconds: null, nextAt: null })
})

test('who may read may plan, and who may change agents may rebalance', async () => {
  const viewer = await world.organization('viewer')
  expect((await ask('{ planRebalance { actions { to } } }', {}, viewer)).codes).toBeUndefined()
  expect((await ask('mutation { rebalance(input: {}) { created } }', {}, viewer)).codes).toEqual([
    'FORBIDDEN',
  ])
})
