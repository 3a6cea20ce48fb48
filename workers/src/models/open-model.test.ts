import { randomUUID } from 'node:crypto'
import { type AgentExecutor, readReliability, setModel, setModelPrice } from '@tutti/agents/domain'
import { openTail, type Tail } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { createKms, createLog } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { ClaimedTask } from '@tutti/workflows/domain'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { type ChatReply, startChatServer } from '../builtins/model/chat-server.ts'
import { type Egress, openEgress } from '../executors/open-egress.ts'
import { openModel } from './open-model.ts'
import { openResponseCache, type ResponseCache } from './response-cache.ts'

let world: TestDatabase
let tail: Tail
let admin: Actor
let egress: Egress
beforeAll(async () => {
  world = await openTestDatabase()
  tail = await openTail(world.database)
  egress = openEgress({ allowLocal: true })
})
beforeEach(async () => {
  admin = await world.organization('admin')
})
afterAll(async () => {
  await egress[Symbol.asyncDispose]()
  await tail[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

const QUESTION = { instructions: 'Say yes.', data: { it: 'is so' }, schema: z.object({ yes: z.boolean() }) }
const YES: ChatReply = { content: '{"yes":true}' }
const LIMITED: ChatReply = {
  status: 429,
  headers: { 'retry-after': '40' },
  body: '{"error":{"message":"slow"}}',
}
const BROKEN: ChatReply = { status: 503, body: 'down' }
const asked = z.object({ model: z.string() })

/** A server where each model answers in its way, and a task whose agent names these models. */
async function platform(
  replies: Readonly<Record<string, ChatReply>>,
  models: AgentExecutor['models'],
  responses?: ResponseCache,
) {
  const server = await startChatServer(
    ({ body }) => replies[asked.parse(JSON.parse(body)).model] ?? { status: 404, body: '{}' },
  )
  const { database, secret } = world
  const call = {
    services: {
      database,
      tail,
      log: createLog('test', 'silent'),
      secret,
      kms: createKms({ secret }),
      models: { OPENAI_BASE_URL: server.baseURL, OPENAI_API_KEY: 'key' },
      allowLocalAgents: false,
      ...(responses ? { responses } : {}),
    },
    actor: admin,
    agent: {
      id: randomUUID(),
      name: 'writer',
      type: 'test.writer',
      status: 'active',
      teamId: null,
      domainId: null,
      version: 1,
      configurationHash: '',
      executor: { type: 'builtin' as const, function: 'draft_reply', settings: {}, files: {} },
      models,
      governs: null,
      reliability: readReliability(null),
    },
    secrets: {
      ofAgent: async () => '',
      ofProvider: async () => undefined,
      conceal: () => undefined,
      cut: (text: string) => text,
    },
    task: taskOf(admin.organizationId),
    egress,
  }
  return {
    open: async () => (await openModel(call, 'draft_reply')) ?? expect.unreachable(),
    /** As the same task is tried again by somebody. */
    openAgain: async () =>
      (await openModel({ ...call, task: { ...call.task, generation: 1 } }, 'draft_reply')) ??
      expect.unreachable(),
    called: () => server.requests.map(({ body }) => asked.parse(JSON.parse(body)).model),
    runId: call.task.runId,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

const taskOf = (organizationId: string): ClaimedTask => ({
  organizationId,
  id: randomUUID(),
  runId: randomUUID(),
  stepPath: 'write',
  nodeId: 'write',
  kind: 'agent',
  generation: 0,
  strandId: randomUUID(),
  agentId: randomUUID(),
  agentName: 'writer',
  attempt: 1,
  timeoutMs: 1_000,
  fence: 1n,
  input: {},
  workflowId: randomUUID(),
  workflowName: 'write',
})

const use = (name: string, quality: number, provider = 'acme') =>
  setModel(world, admin, {
    provider,
    name,
    contextTokens: 100_000,
    maxOutputTokens: 10_000,
    quality: { draft_reply: quality },
  })

interface Kept {
  modelId: string
  outcome: string
  costUsd: string
  inputTokens: number
  runId: string
  waits: boolean
  reason: { by: string; position: number; after: object[]; chain: string[]; ranking?: { points: object }[] }
}
const kept = () =>
  world.database.readTenant<Kept>(
    admin,
    `select model_id as "modelId", outcome, cost_usd::text as "costUsd", input_tokens as "inputTokens",
       run_id as "runId", retry_at > clock_timestamp() + interval '30 s' as waits, reason
     from model_call where organization_id = $1::uuid order by id`,
    [admin.organizationId],
  )

test('one model is limited, another fails: the third answers, and all of it is kept with its reasons', async () => {
  await use('limited', 0.75)
  await use('broken', 0.6)
  await use('fine', 0.3, 'other')
  await setModelPrice(world, admin, { modelId: 'other/fine', inputUsd: 0.5, outputUsd: 1.5 })
  await using on = await platform(
    { limited: LIMITED, broken: BROKEN, fine: YES },
    { primary: 'unregistered' },
  )
  const model = await on.open()
  expect(await model.ask(QUESTION)).toMatchObject({ value: { yes: true }, model: 'fine' })
  expect(on.called()).toEqual(['limited', 'broken', 'fine'])
  // 120 tokens in and 34 out, by the server's count.
  expect(model.costUsd()).toBeCloseTo(0.000111, 12)
  const chain = ['acme/limited', 'acme/broken', 'other/fine']
  expect(await kept()).toMatchObject([
    {
      modelId: 'acme/limited',
      outcome: 'MODEL_RATE_LIMITED',
      waits: true,
      reason: { by: 'router', chain, after: [] },
    },
    { modelId: 'acme/broken', outcome: 'MODEL_UNAVAILABLE', costUsd: '0.000000000000' },
    {
      modelId: 'other/fine',
      outcome: 'ok',
      costUsd: '0.000111000000',
      inputTokens: 120,
      runId: on.runId,
      reason: {
        position: 2,
        after: [
          { model: 'acme/limited', outcome: 'MODEL_RATE_LIMITED' },
          { model: 'acme/broken', outcome: 'MODEL_UNAVAILABLE' },
        ],
        ranking: [{ points: { quality: 0.4 } }, {}, {}],
      },
    },
  ])
})

test('who has asked to wait is not asked again; when all have, the step waits as long', async () => {
  await use('limited', 0.75)
  await use('fine', 0.1)
  const replies: Record<string, ChatReply> = { limited: LIMITED, fine: YES }
  await using on = await platform(replies, { primary: 'limited' })
  const model = await on.open()
  await model.ask(QUESTION)
  await model.ask(QUESTION)
  expect(on.called()).toEqual(['limited', 'fine', 'fine'])
  replies['fine'] = LIMITED
  await expect(model.ask(QUESTION)).rejects.toMatchObject({ code: 'MODEL_RATE_LIMITED', retryable: true })
  const failure: unknown = await model.ask(QUESTION).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'MODEL_RATE_LIMITED', retryAfterMs: expect.any(Number) })
  expect(on.called()).toHaveLength(4)
})

test('with one model in use or none, the configuration’s are asked in their order', async () => {
  await use('fine', 1)
  await using on = await platform(
    { first: BROKEN, second: YES, fine: YES },
    { primary: 'first', fallback: 'second' },
  )
  expect(await (await on.open()).ask(QUESTION)).toMatchObject({ model: 'second' })
  expect(on.called()).toEqual(['first', 'second'])
  expect(await kept()).toMatchObject([
    { modelId: 'first', reason: { by: 'configuration', position: 0 } },
    { modelId: 'second', outcome: 'ok', reason: { by: 'configuration', position: 1 } },
  ])
})

test('what any model would refuse is put to no other', async () => {
  await use('one', 1)
  await use('two', 0.1)
  await using on = await platform({ one: { status: 400, body: '{}' }, two: YES }, { primary: 'one' })
  await expect((await on.open()).ask(QUESTION)).rejects.toMatchObject({ code: 'MODEL_REFUSED_REQUEST' })
  expect(on.called()).toEqual(['one'])
})

test('when nothing can be asked at all, it says so and is not tried again', async () => {
  await use('one', 1)
  await use('two', 1)
  await using on = await platform({}, { primary: 'one' })
  const huge = { ...QUESTION, data: { it: 'x'.repeat(400_000) } }
  await expect((await on.open()).ask(huge)).rejects.toMatchObject({
    code: 'MODEL_NONE_USABLE',
    retryable: false,
  })
  expect(on.called()).toEqual([])
})

const levels = () =>
  world.database.readTenant<{
    level: string
    missed: string[]
    costUsd: string
    saved: number
    savedUsd: string
  }>(
    admin,
    `select cache_level as level, cache_missed as missed, cost_usd::text as "costUsd", saved_tokens as saved,
       saved_usd::text as "savedUsd" from model_call where organization_id = $1::uuid order by id`,
    [admin.organizationId],
  )
const keptTexts = () =>
  world.database.readTenant<{ text: string }>(
    admin,
    'select text from model_response where organization_id = $1::uuid',
    [admin.organizationId],
  )
const cacheHere = () => openResponseCache({ database: world.database, log: createLog('test', 'silent') })

test('the same question is answered from the cache and costs nothing; another answer is there for who tries again', async () => {
  await use('one', 1)
  await setModelPrice(world, admin, { modelId: 'acme/one', inputUsd: 0.5, outputUsd: 1.5 })
  await using cache = cacheHere()
  await using on = await platform({ one: YES }, { primary: 'one' }, cache)
  const model = await on.open()
  await model.ask(QUESTION)
  const spent = model.costUsd()
  expect(await model.ask({ ...QUESTION, data: { it: 'is so' } })).toMatchObject({
    value: { yes: true },
    model: 'one',
    tokens: { input: 0, output: 0 },
  })
  expect(model.costUsd()).toBe(spent)
  expect(on.called()).toHaveLength(1)
  const real = { level: 'none', missed: ['memory', 'database'], costUsd: '0.000111000000', saved: 0 }
  expect(await levels()).toMatchObject([
    real,
    { level: 'memory', missed: [], costUsd: '0.000000000000', saved: 154, savedUsd: '0.000111000000' },
  ])
  await (await on.openAgain()).ask(QUESTION)
  expect(on.called()).toHaveLength(2)
})

test('what is random, off, or another’s is asked; what is sensitive never leaves memory', async () => {
  await use('one', 1)
  await using cache = cacheHere()
  await using on = await platform({ one: YES }, { primary: 'one', cache_steps: { write: 'database' } }, cache)
  const model = await on.open()
  for (const more of [{ temperature: 0.2 }, { cache: 'off' as const }]) {
    await model.ask({ ...QUESTION, ...more })
    await model.ask({ ...QUESTION, ...more })
  }
  expect(on.called()).toHaveLength(4)
  const personal = { ...QUESTION, data: { from: 'ada@example.com' } }
  await model.ask(personal)
  await model.ask(personal)
  expect(on.called()).toHaveLength(5)
  expect(await keptTexts()).toEqual([])
  await using off = await platform({ one: YES }, { primary: 'one', cache_steps: { write: 'off' } }, cache)
  await (await off.open()).ask(QUESTION)
  await (await off.open()).ask(QUESTION)
  expect(off.called()).toHaveLength(2)
})

test('an answer that could not be read is not kept', async () => {
  await use('one', 1)
  await using cache = cacheHere()
  const replies: Record<string, ChatReply> = { one: { content: '{"no":1}' } }
  await using on = await platform(replies, { primary: 'one' }, cache)
  const model = await on.open()
  await expect(model.ask(QUESTION)).rejects.toMatchObject({ code: 'MODEL_BAD_OUTPUT' })
  replies['one'] = YES
  expect(await model.ask(QUESTION)).toMatchObject({ value: { yes: true } })
  expect(await kept()).toMatchObject([{ outcome: 'MODEL_BAD_OUTPUT', inputTokens: 120 }, { outcome: 'ok' }])
})

test('two organizations that ask the same are answered each by the model', async () => {
  await using cache = cacheHere()
  for (let each = 0; each < 2; each += 1) {
    admin = await world.organization('admin')
    await using on = await platform({ one: YES }, { primary: 'one' }, cache)
    await (await on.open()).ask(QUESTION)
    await (await on.open()).ask(QUESTION)
    expect(on.called()).toHaveLength(1)
  }
})
