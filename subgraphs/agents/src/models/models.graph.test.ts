import { testActor, type TestDatabase } from '@tutti/prisma/testing'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type AgentsWorld, openAgents } from '../testing/open-agents.ts'
import { deleteOldModelCalls } from './delete-old-model-calls.ts'
import { createMeasurements } from './measurements.ts'
import { readModels } from './read-models.ts'
import { recordModelCall } from './record-model-call.ts'

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
const SET = `mutation ($input: SetModelInput!) { setModel(input: $input) { model { id status builtIn contextTokens quality premium } } }`
const PRICE = `mutation ($input: SetModelPriceInput!) { setModelPrice(input: $input) { model { id } } }`
const EXPLAIN = `query ($input: ExplainRoutingInput!) { explainRouting(input: $input) { chosen { id } confidence chain
  ranking { model { id } score points { quality speed cost reliability } values { reliability speed } bonuses { name points } }
  excluded { model { id } reasons { code until } } } }`
const SETTINGS = `mutation ($input: SetRouterSettingsInput!) { setRouterSettings(input: $input) { inForce } }`
const own = (name: string, more = {}) =>
  ask(SET, { input: { provider: 'acme', name, contextTokens: 8_000, maxOutputTokens: 2_000, ...more } })
const explain = async (input = {}) => (await ask(EXPLAIN, { input })).data.explainRouting
const reasonsOf = (
  explained: { excluded: { model: { id: string }; reasons: { code: string }[] }[] },
  id: string,
) => explained.excluded.find(({ model }) => model.id === id)?.reasons.map(({ code }) => code)

test('everybody sees the catalogue, in pages, and what they say otherwise is seen by them alone', async () => {
  const list =
    'query ($after: String) { models(first: 5, after: $after) { nodes { id status } pageInfo { hasNextPage endCursor } } }'
  await own('m', { provider: 'aaa' })
  const seen: { id: string; status: string }[] = []
  let after: string | null = null
  do {
    const {
      models,
    }: { models: { nodes: typeof seen; pageInfo: { hasNextPage: boolean; endCursor: string } } } = (
      await ask(list, { after })
    ).data
    seen.push(...models.nodes)
    after = models.pageInfo.hasNextPage ? models.pageInfo.endCursor : null
  } while (after !== null)
  expect(seen[0]).toEqual({ id: 'aaa/m', status: 'ACTIVE' })
  expect(seen.map(({ id }) => id)).toContain('openai/gpt-4-turbo')
  expect(seen.slice(1).every(({ status }) => status === 'KNOWN')).toBe(true)
  expect(seen.map(({ id }) => id)).toEqual([...new Set(seen.map(({ id }) => id))].sort())
  const stranger = await world.organization('admin')
  expect((await ask('{ model(id: "aaa/m") { id } }', {}, stranger)).data).toEqual({ model: null })
})

test('a model of the catalogue is taken into use, changed, and is as before when that is removed', async () => {
  const input = { provider: 'openai', name: 'gpt-4-turbo', quality: { write: 0.9 } }
  expect((await ask(SET, { input })).data.setModel.model).toEqual({
    id: 'openai/gpt-4-turbo',
    status: 'ACTIVE',
    builtIn: true,
    contextTokens: 128_000,
    quality: { write: 0.9 },
    premium: true,
  })
  const remove = 'mutation { removeModel(input: { id: "openai/gpt-4-turbo" }) { model { id } } }'
  await ask(remove)
  expect((await ask('{ model(id: "openai/gpt-4-turbo") { status quality } }')).data.model).toEqual({
    status: 'KNOWN',
    quality: {},
  })
  expect((await ask(remove)).codes).toEqual(['NOT_FOUND'])
})

test('every mistake is told at once', async () => {
  const unknown = await ask(SET, { input: { provider: 'acme', name: 'new' } })
  expect(unknown.problems).toMatchObject([{ path: 'input.contextTokens' }, { path: 'input.maxOutputTokens' }])
  const wrong = await ask(SET, {
    input: { provider: 'a b', name: 'x\0', contextTokens: 0, quality: { a: 2 } },
  })
  expect(wrong.problems).toMatchObject([
    { path: 'input.provider' },
    { path: 'input.name' },
    { path: 'input.contextTokens' },
    { path: 'input.quality.a' },
  ])
  expect((await ask(PRICE, { input: { modelId: 'no/model', inputUsd: 1, outputUsd: 1 } })).codes).toEqual([
    'NOT_FOUND',
  ])
  const fine = await ask(PRICE, { input: { modelId: 'openai/o3', inputUsd: 0.1234567, outputUsd: -1 } })
  expect(fine.problems).toMatchObject([{ path: 'input.inputUsd' }, { path: 'input.outputUsd' }])
  const operator = testActor('operator', admin.organizationId)
  expect((await ask(SET, { input: { provider: 'openai', name: 'o3' } }, operator)).codes).toEqual([
    'FORBIDDEN',
  ])
})

test('a price holds from its date on, the catalogue’s before it', async () => {
  const modelId = 'openai/gpt-4-turbo'
  const input = { modelId, inputUsd: 7, outputUsd: 20 }
  await ask(PRICE, { input: { ...input, validFrom: '2026-01-01T00:00:00Z' } })
  await ask(PRICE, { input: { ...input, inputUsd: 6.5, validFrom: '2026-02-01T00:00:00Z' } })
  await ask(PRICE, { input: { ...input, inputUsd: 6.125, validFrom: '2026-02-01T00:00:00Z' } })
  const at = (date: string) => `price(at: "${date}T00:00:00Z") { inputUsd cachedUsd }`
  const query = `{ model(id: "${modelId}") { early: ${at('2020-01-01')} listed: ${at('2025-12-31')}
    january: ${at('2026-01-31')} february: ${at('2026-02-01')} } }`
  expect((await ask(query)).data.model).toEqual({
    early: null,
    listed: { inputUsd: 10, cachedUsd: 10 },
    january: { inputUsd: 7, cachedUsd: 7 },
    february: { inputUsd: 6.125, cachedUsd: 6.125 },
  })
  // Each is told in the log, and is nobody else's.
  expect(await opened.events(admin, 'model.changed')).toEqual(
    Array.from({ length: 3 }, () => ({ subject: `model/${modelId}`, data: { modelId, change: 'priced' } })),
  )
  const stranger = await world.organization('admin')
  expect((await ask(query, {}, stranger)).data.model.february).toEqual({ inputUsd: 10, cachedUsd: 10 })
  const operator = testActor('operator', admin.organizationId)
  expect((await ask(PRICE, { input }, operator)).codes).toEqual(['FORBIDDEN'])
  expect(await opened.events(admin, 'model.changed')).toHaveLength(3)
})

test('a price without a date holds from now on, and what comes from the cache costs as much unless it is said', async () => {
  const input = { modelId: 'openai/o3', inputUsd: 3, outputUsd: 4 }
  await ask(PRICE, { input })
  const query = '{ model(id: "openai/o3") { price { inputUsd outputUsd cachedUsd } } }'
  expect((await ask(query)).data.model.price).toEqual({ inputUsd: 3, outputUsd: 4, cachedUsd: 3 })
})

test('explainRouting says all points, all exclusions and the chain', async () => {
  await own('good', { quality: { write: 0.9 } })
  await own('poor', { quality: { write: 0.1 } })
  await own('small', { contextTokens: 100 })
  const explained = await explain({ taskType: 'write', priority: 'HIGH' })
  expect(explained).toMatchObject({
    chosen: { id: 'acme/good' },
    chain: ['acme/good', 'acme/poor'],
    ranking: [
      { points: { quality: 0.4, cost: 0.25, reliability: 0.1 }, bonuses: [{ name: 'high_priority' }] },
      {},
    ],
  })
  expect(reasonsOf(explained, 'acme/small')).toEqual(['context_too_small'])
  expect(reasonsOf(explained, 'openai/o3')).toEqual(['not_in_use'])
  const named = await explain({ models: ['o3', 'openai/gpt-4.1'] })
  expect(named.chain).toEqual(expect.arrayContaining(['openai/o3', 'openai/gpt-4.1']))
})

test('the organization’s tier and the specification’s documents count', async () => {
  await own('one', { premium: true })
  await own('two', { provider: 'other' })
  await world.database.inTenant(admin, (tx) =>
    tx.db.organization.updateMany({ data: { tier: 'enterprise' } }),
  )
  const document = `
orchestrator_config: { cost_optimization: { model_routing_enabled: true, response_caching_enabled: true } }
organization_orchestration:
  resource_limits: { daily_ai_budget_usd: 50 }
  quality_requirements: { minimum_quality_score: 0.5, safety_check_required: true }
  integration_preferences: { preferred_ai_provider: "other", fallback_ai_provider: "acme", messaging_platform: "whatsapp" }
model_routing: { weights: { quality: 1, speed: 0, cost: 0, reliability: 0 }, premium_models: [two] }`
  const { inForce } = (await ask(SETTINGS, { input: { document } })).data.setRouterSettings
  expect(inForce).toMatchObject({
    enabled: true,
    weights: { quality: 1, speed: 0 },
    requirements: { minQuality: 0.5, maxLatency: 5 },
    preferredProvider: 'other',
  })
  const { ranking } = await explain()
  expect(
    ranking.map(({ bonuses }: { bonuses: { name: string }[] }) => bonuses.map(({ name }) => name)),
  ).toEqual([
    ['premium', 'preferred_provider'],
    ['premium', 'fallback_provider'],
  ])
})

test('settings with mistakes are answered with all of them, and nothing changes', async () => {
  const document = `weights: { quality: 0, speed: 0, cost: 0, reliability: 0 }
time_window_minutes: 5
new_modl: 1`
  const { codes, problems } = await ask(SETTINGS, { input: { document } })
  expect(codes).toEqual(['INVALID_DOCUMENT'])
  expect(problems).toMatchObject([
    { path: 'time_window_minutes', line: 2 },
    { path: 'weights', line: 1 },
    { code: 'unrecognized_keys' },
  ])
  expect(
    (await ask(SETTINGS, { input: { document: 'model_routing: {}\nother: 1' } })).problems,
  ).toMatchObject([{ path: 'other', line: 2 }])
})

test('calls of another process count, each once, with what a provider said of waiting', async () => {
  await own('one')
  await own('two')
  const models = await readModels(world, admin)
  const call = {
    runId: null,
    taskId: null,
    agentId: null,
    tokens: { input: 100, output: 20, cached: 0 },
    latencyMs: 500,
    quality: null,
    reason: {},
    retryAfterMs: undefined,
  }
  const record = (name: string, outcome: string, retryAfterMs?: number) =>
    recordModelCall(world, admin, {
      ...call,
      name,
      model: models.get(`acme/${name}`) ?? null,
      outcome,
      retryAfterMs,
    })
  await record('one', 'ok')
  await record('two', 'ok')
  await record('one', 'MODEL_UNAVAILABLE')
  const other = createMeasurements(world.database)
  const first = (await other.of(admin, Date.now())).get('acme/one')
  expect(first).toMatchObject({
    calls: 2,
    failures: 1,
    latencyMs: 500,
    requestsInMinute: 2,
    tokensInMinute: 240,
  })
  expect((await other.of(admin, Date.now() + 2_000)).get('acme/one')?.calls).toBe(2)
  await record('one', 'MODEL_RATE_LIMITED', 20_000)
  // Two seconds on, by its clock: it looks again.
  const later = (await other.of(admin, Date.now() + 4_000)).get('acme/one')
  expect(later).toMatchObject({ calls: 3, failures: 2, failuresOnEnd: 2 })
  expect(later?.outUntil).toBeGreaterThan(Date.now() + 15_000)
  const explained = await explain()
  expect(explained.chain).toEqual(['acme/two'])
  expect(reasonsOf(explained, 'acme/one')).toEqual(['rate_limited'])
  const stranger = await world.organization('admin')
  expect((await other.of(stranger, Date.now())).size).toBe(0)
})

test('calls go after ninety days, and no younger ones', async () => {
  const days = [89, 91, 92]
  for (const each of days) {
    await world.database.inTenant(admin, (tx) =>
      tx.sql(
        `insert into model_call (organization_id, model_id, provider, input_tokens, output_tokens, cached_tokens, cost_usd,
           latency_ms, outcome, reason, created_at)
         values ($1::uuid, $2, 'p', 1, 1, 0, 0, 1, 'ok', '{}', now() - $3::int * interval '1 day') returning id`,
        admin.organizationId,
        `m${each}`,
        each,
      ),
    )
  }
  expect(await deleteOldModelCalls(world)).toBe(2)
  expect(await deleteOldModelCalls(world)).toBe(0)
  const left = await world.database.readTenant<{ id: string }>(
    admin,
    'select model_id as id from model_call where organization_id = $1::uuid',
    [admin.organizationId],
  )
  expect(left).toEqual([{ id: 'm89' }])
})
