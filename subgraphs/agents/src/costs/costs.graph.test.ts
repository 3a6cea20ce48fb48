import { randomUUID } from 'node:crypto'
import { type TestDatabase, testActor } from '@tutti/prisma/testing'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { registerAgent } from '../agents/register-agent.ts'
import { createDomain } from '../hierarchy/create-domain.ts'
import { createTeam } from '../hierarchy/create-team.ts'
import { type AgentsWorld, openAgents } from '../testing/open-agents.ts'

let opened: AgentsWorld
let world: TestDatabase
let admin: Actor
const runs = [randomUUID(), randomUUID()]
const agentIds: string[] = []
let teamId = ''

const document = (name: string) => `
metadata: { name: ${name}, type: test.agent, version: 1.0.0 }
capabilities: [test]
executor: { type: builtin, function: sentiment }
`

beforeAll(async () => {
  opened = await openAgents()
  world = opened.world
  admin = await world.organization('admin')
  const { id: domainId } = await createDomain(world, admin, { name: 'product' })
  teamId = (await createTeam(world, admin, { domainId, name: 'writers' })).id
  for (const [name, team] of [
    ['in-team', teamId],
    ['alone', null],
  ] as const) {
    const { agent } = await registerAgent(world, admin, { document: document(name), teamId: team })
    agentIds.push(agent.id)
  }
  // Ten calls: agent, run, model, outcome, cache and day by the number.
  await world.database.transact(admin, async (client) => {
    for (let n = 0; n < 10; n++)
      await client.query(
        `insert into model_call (organization_id, run_id, task_id, agent_id, model_id, provider, input_tokens,
           output_tokens, cached_tokens, cost_usd, latency_ms, outcome, cache_level, reason, created_at)
         values ($1, $2, $3, $4, $5, 'p', 100, 10, 1, $6, $7, $8, $9, '{}', $10)`,
        [
          admin.organizationId,
          runs[n % 2],
          randomUUID(),
          agentIds[n < 7 ? 0 : 1],
          n % 3 === 0 ? 'large' : 'small',
          n % 3 === 0 ? 0.1 : 0.01,
          100 * n,
          n === 4 ? 'MODEL_TIMEOUT' : 'ok',
          n === 5 ? 'memory' : 'none',
          n < 5 ? '2026-11-01T12:00:00Z' : '2026-11-02T12:00:00Z',
        ],
      )
  })
})
afterAll(() => opened[Symbol.asyncDispose]())

const ask = (query: string, variables: Record<string, unknown> = {}, actor = admin) =>
  opened.ask(actor, query, variables)
const SPAN = 'from: "2026-11-01T00:00:00Z", to: "2026-11-03T00:00:00Z"'

test('costs are summed at every level, and rows add up to the total', async () => {
  for (const by of ['ORGANIZATION', 'DOMAIN', 'TEAM', 'AGENT', 'WORKFLOW', 'RUN', 'TASK', 'MODEL', 'DAY']) {
    const { data } = await ask(
      `{ costs(by: [${by}], ${SPAN}) { total { calls costUsd inputTokens } rows { sums { calls costUsd inputTokens } } } }`,
    )
    const { total, rows } = data.costs
    expect(total, by).toEqual({ calls: 10, costUsd: 0.46, inputTokens: 1_000 })
    const sum = (of: 'calls' | 'inputTokens') =>
      rows.reduce((all: number, row: { sums: Record<typeof of, number> }) => all + row.sums[of], 0)
    expect([sum('calls'), sum('inputTokens')], by).toEqual([10, 1_000])
  }
})

test('rows say what they are about, dearest first; filters and days cut them', async () => {
  const { data } = await ask(
    `query ($team: ID!) {
      models: costs(by: [MODEL, DAY], ${SPAN}) { rows { modelId day sums { calls costUsd failedCalls cacheHits meanLatencyMs } } }
      team: costs(by: [AGENT], filter: { teamId: $team }, ${SPAN}) { rows { agent { name } team { name } sums { calls } } }
      first: costs(by: [TASK], first: 3, ${SPAN}) { truncated rows { taskId } }
      later: costs(by: [ORGANIZATION], from: "2026-11-02T00:00:00Z", to: "2026-11-03T00:00:00Z") { total { calls } }
    }`,
    { team: teamId },
  )
  expect(data.models.rows).toMatchObject([
    { modelId: 'large', day: '2026-11-01', sums: { calls: 2, costUsd: 0.2, meanLatencyMs: 150 } },
    { modelId: 'large', day: '2026-11-02', sums: { calls: 2, costUsd: 0.2 } },
    { modelId: 'small', day: '2026-11-01', sums: { calls: 3, costUsd: 0.03, failedCalls: 1, cacheHits: 0 } },
    { modelId: 'small', day: '2026-11-02', sums: { calls: 3, failedCalls: 0, cacheHits: 1 } },
  ])
  expect(data.team.rows).toEqual([{ agent: { name: 'in-team' }, team: null, sums: { calls: 7 } }])
  expect(data.first).toMatchObject({ truncated: true, rows: [{}, {}, {}] })
  expect(data.later.total.calls).toBe(5)
})

test('calls are listed newest first, in pages, by run, agent, model and outcome', async () => {
  const seen: string[] = []
  let after: string | null = null
  do {
    const { data } = await ask(
      'query ($after: String) { modelCalls(first: 4, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }',
      { after },
    )
    seen.push(...data.modelCalls.nodes.map(({ id }: { id: string }) => id))
    after = data.modelCalls.pageInfo.hasNextPage ? data.modelCalls.pageInfo.endCursor : null
  } while (after)
  expect(new Set(seen).size).toBe(10)
  expect(seen).toEqual(seen.toSorted().toReversed())
  const { data } = await ask(
    `query ($run: ID, $agent: ID) {
      run: modelCalls(runId: $run) { nodes { runId } } agent: modelCalls(agentId: $agent) { nodes { agent { name } } }
      model: modelCalls(modelId: "large") { nodes { costUsd } } failed: modelCalls(outcome: "MODEL_TIMEOUT") { nodes { latencyMs } }
      none: modelCalls(runId: "not-an-id") { nodes { id } } }`,
    { run: runs[0], agent: agentIds[1] },
  )
  expect(data.run.nodes).toHaveLength(5)
  expect(data.agent.nodes).toEqual(Array.from({ length: 3 }, () => ({ agent: { name: 'alone' } })))
  expect(data.model.nodes).toHaveLength(4)
  expect(data.failed.nodes).toEqual([{ latencyMs: 400 }])
  expect(data.none.nodes).toEqual([])
})

test('another organization sums nothing of it, and a wrong span is refused', async () => {
  const other = testActor('admin')
  const { data } = await ask(
    `query ($run: ID!) { costs(by: [RUN], filter: { runId: $run }, ${SPAN}) { total { calls } rows { runId } }
       modelCalls(runId: $run) { nodes { id } } }`,
    { run: runs[0] },
    other,
  )
  expect(data).toEqual({ costs: { total: { calls: 0 }, rows: [] }, modelCalls: { nodes: [] } })
  const backwards = 'from: "2026-11-03T00:00:00Z", to: "2026-11-01T00:00:00Z"'
  expect((await ask(`{ costs(by: [DAY], ${backwards}) { truncated } }`)).codes).toEqual(['BAD_INPUT'])
  expect((await ask('{ costs(by: []) { truncated } }')).codes).toEqual(['BAD_INPUT'])
})
