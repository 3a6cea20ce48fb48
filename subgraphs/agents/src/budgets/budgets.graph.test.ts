import { randomUUID } from 'node:crypto'
import { type TestDatabase, testActor } from '@tutti/prisma/testing'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { registerAgent } from '../agents/register-agent.ts'
import { createDomain } from '../hierarchy/create-domain.ts'
import { createTeam } from '../hierarchy/create-team.ts'
import { type AgentsWorld, openAgents } from '../testing/open-agents.ts'
import { countReportedCosts } from './count-reported-costs.ts'
import { reserveCost } from './reserve-cost.ts'
import { settleCost } from './settle-cost.ts'

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
const USE = 'use { share used { usd tokens calls } reserved { usd tokens calls } left { usd tokens calls } }'
const SET = `mutation ($input: SetBudgetInput!) { setBudget(input: $input) { budget { id name scope window maxUsd maxTokens
  maxCalls onBreach team { id } agent { name } runId step ${USE} } } }`
const set = (input: object, actor = admin) => ask(SET, { input }, actor)
const nobody = { agentId: null, runId: null, workflowId: null, stepPath: null, step: null }

const AGENT = `
metadata: { name: writer, type: test.agent, version: 1.0.0 }
capabilities: [test]
executor: { type: builtin, function: sentiment }
`
async function team() {
  const { id: domainId } = await createDomain(world, admin, { name: 'product' })
  const { id: teamId } = await createTeam(world, admin, { domainId, name: 'writers' })
  const { agent } = await registerAgent(world, admin, { document: AGENT, teamId })
  return { domainId, teamId, agentId: agent.id }
}

test('a budget is set, shown with what is used, reserved and left, set again, and removed', async () => {
  const { teamId, agentId } = await team()
  const { data } = await set({
    name: 'writers',
    scope: 'TEAM',
    teamId,
    window: 'DAY',
    maxUsd: 2,
    maxTokens: 1_000,
  })
  expect(data.setBudget.budget).toMatchObject({
    scope: 'TEAM',
    window: 'DAY',
    maxUsd: 2,
    maxTokens: 1_000,
    maxCalls: null,
    onBreach: 'STOP',
    team: { id: teamId },
    use: { used: { usd: 0 }, left: { usd: 2, tokens: 1_000, calls: null } },
  })
  const spender = { ...nobody, agentId }
  const first = await reserveCost(world, admin, spender, { usd: '0.5', tokens: 100, calls: 1 })
  const second = await reserveCost(world, admin, spender, { usd: 1, tokens: 200, calls: 1 })
  if (first.type !== 'reserved' || second.type !== 'reserved') return expect.unreachable()
  await settleCost(world, first.reservation, { usd: '0.75', tokens: 150, calls: 1 })
  const left = { usd: 0.25, tokens: 650, calls: null }
  const seen = {
    share: 0.875,

    used: { usd: 0.75, tokens: 150, calls: 1 },
    reserved: { usd: 1, tokens: 200, calls: 1 },
    left,
  }
  const shown = await ask(
    `query ($team: ID!) { team(id: $team) { budgets { name ${USE} } agents { budgets { name } } domain { budgets { name } } }
       organization { budgets { name } } budgets { nodes { name ${USE} } } }`,
    { team: teamId },
  )
  expect(shown.data).toMatchObject({
    team: { budgets: [{ name: 'writers', use: seen }], agents: [{ budgets: [] }], domain: { budgets: [] } },
    organization: { budgets: [] },
    budgets: { nodes: [{ name: 'writers', use: seen }] },
  })
  // Raised: what was used stays. About something else: it begins anew.
  const raised = await set({
    name: 'writers',
    scope: 'TEAM',
    teamId,
    window: 'DAY',
    maxUsd: 5,
    onBreach: 'PAUSE',
  })
  expect(raised.data.setBudget.budget).toMatchObject({
    id: data.setBudget.budget.id,
    onBreach: 'PAUSE',
    use: { used: { usd: 0.75 }, left: { usd: 3.25, tokens: null } },
  })
  const other = await set({ name: 'writers', scope: 'AGENT', agentId, window: 'DAY', maxUsd: 5 })
  expect(other.data.setBudget.budget).toMatchObject({ agent: { name: 'writer' }, use: { used: { usd: 0 } } })
  const { id } = data.setBudget.budget
  const REMOVE = 'mutation ($id: ID!) { removeBudget(input: {id: $id}) { budget { name } } }'
  expect((await ask(REMOVE, { id })).data.removeBudget.budget).toEqual({ name: 'writers' })
  expect((await ask(REMOVE, { id })).codes).toEqual(['NOT_FOUND'])
  expect(await reserveCost(world, admin, spender, { usd: 99, tokens: 1, calls: 1 })).toMatchObject({
    type: 'reserved',
  })
  const events = await world.database.readTenant<{ type: string; change: string }>(
    admin,
    `select type, data->>'change' as change from log.event where organization_id = $1 and type like 'budget.%' order by seq`,
    [admin.organizationId],
  )
  expect(events.map(({ change }) => change)).toEqual(['set', 'set', 'set', 'removed'])
})

test('every run and every step of a run has its budget for itself; of others’ spending neither is less', async () => {
  const { agentId } = await team()
  await set({ name: 'a run', scope: 'RUN', window: 'TOTAL', maxCalls: 2 })
  await set({ name: 'a step', scope: 'STEP', step: 'write', window: 'TOTAL', maxCalls: 1 })
  const [run, other] = [randomUUID(), randomUUID()]
  const call = (runId: string, step: string, stepPath = step) =>
    reserveCost(
      world,
      admin,
      { agentId, runId, workflowId: null, stepPath, step },
      { usd: 1, tokens: 1, calls: 1 },
    )
  expect((await call(run, 'write')).type).toBe('reserved')
  expect(await call(run, 'write')).toMatchObject({ type: 'breached', budgets: [{ name: 'a step' }] })
  expect((await call(run, 'check')).type).toBe('reserved')
  expect(await call(run, 'check')).toMatchObject({ type: 'breached', budgets: [{ name: 'a run' }] })
  expect((await call(other, 'write', 'map[1]/write')).type).toBe('reserved')
  expect((await call(other, 'write', 'map[2]/write')).type).toBe('reserved')
  const { data } = await ask(
    `query ($run: ID!) { budgets { nodes { name run: use(runId: $run) { left { calls } }
       step: use(runId: $run, stepPath: "map[1]/write") { reserved { calls } } } } }`,
    { run: other },
  )
  expect(data.budgets.nodes).toMatchObject([
    { name: 'a run', run: { left: { calls: 0 } } },
    { name: 'a step', step: { reserved: { calls: 1 } } },
  ])
})

test('what agents reported is counted once, and what the platform called models for is not counted again', async () => {
  const { agentId } = await team()
  await set({ name: 'agent', scope: 'AGENT', agentId, window: 'TOTAL', maxUsd: 10 })
  const { organizationId } = admin
  const [workflowId, versionId, run, reported, called] = Array.from({ length: 5 }, () => randomUUID())
  await world.database.transact(admin, async (client) => {
    await client.query(
      `insert into workflow (organization_id, id, name, latest_version) values ($1, $2, 'w', 1)`,
      [organizationId, workflowId],
    )
    await client.query(
      `insert into workflow_version (organization_id, id, workflow_id, version, source, source_hash, definition)
       values ($1, $2, $3, 1, '', '', '{}')`,
      [organizationId, versionId, workflowId],
    )
    await client.query(
      `insert into run (organization_id, id, workflow_id, version_id, status, input, started_by)
       values ($1, $2, $3, $4, 'running', '{}', '{}')`,
      [organizationId, run, workflowId, versionId],
    )
    for (const task of [reported, called])
      await client.query(
        `insert into task (organization_id, id, run_id, step_path, node_id, kind, agent_id, status, input, timeout_ms)
         values ($1, $2, $3, $4, 'write', 'agent', $5, 'running', '{}', 1000)`,
        [organizationId, task, run, task, agentId],
      )
    await client.query(
      `insert into model_call (organization_id, run_id, task_id, agent_id, model_id, provider, input_tokens, output_tokens,
         cached_tokens, cost_usd, latency_ms, outcome, reason) values ($1, $2, $3, $4, 'm', 'p', 1, 1, 0, 0.5, 1, 'ok', '{}')`,
      [organizationId, run, called, agentId],
    )
    await client.query(`update task set cost_usd = 0.5 where organization_id = $1`, [organizationId])
  })
  expect(await countReportedCosts(world)).toBe(2)
  expect(await countReportedCosts(world)).toBe(0)
  const { data } = await ask(`{ budgets { nodes { use { used { usd calls } } } }
    costs(by: [AGENT, MODEL]) { total { calls costUsd modelUsd reportedUsd inputTokens } truncated
      rows { agent { name } modelId sums { costUsd calls } } } }`)
  expect(data.budgets.nodes).toEqual([{ use: { used: { usd: 0.5, calls: 0 } } }])
  expect(data.costs).toMatchObject({
    total: { calls: 1, costUsd: 1, modelUsd: 0.5, reportedUsd: 0.5, inputTokens: 1 },
    truncated: false,
    rows: [
      { agent: { name: 'writer' }, modelId: 'm', sums: { costUsd: 0.5, calls: 1 } },
      { agent: { name: 'writer' }, modelId: null, sums: { costUsd: 0.5, calls: 0 } },
    ],
  })
})

test('every mistake is named at once, and nothing is found that is another’s', async () => {
  const wrong = await set({
    name: ' ',
    scope: 'TEAM',
    agentId: randomUUID(),
    step: 'x',
    window: 'DAY',
    maxUsd: -1,
  })
  expect(wrong).toMatchObject({ codes: ['BAD_INPUT'] })
  expect(wrong.paths?.toSorted()).toEqual([
    'input.agentId',
    'input.maxUsd',
    'input.name',
    'input.step',
    'input.teamId',
  ])
  const { teamId } = await team()
  const budget = { name: 'b', scope: 'TEAM', teamId, window: 'DAY', maxCalls: 1 }
  expect((await set(budget, testActor('admin'))).codes).toEqual(['NOT_FOUND'])
  expect((await set({ ...budget, teamId: 'no-id' })).codes).toEqual(['NOT_FOUND'])
})
