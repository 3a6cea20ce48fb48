import { randomUUID } from 'node:crypto'
import { readReliability, setBudget, setModel, setModelPrice } from '@tutti/agents/domain'
import { openTail, type Tail } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { createKms, createLog } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { ClaimedTask } from '@tutti/workflows/domain'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { startChatServer } from '../builtins/model/chat-server.ts'
import { type Egress, openEgress } from '../executors/open-egress.ts'
import { openModel } from '../models/open-model.ts'

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
  await use('dear', 0.9, 8)
  await use('middling', 0.8, 4)
  await use('cheap', 0.7, 1)
})
afterAll(async () => {
  await egress[Symbol.asyncDispose]()
  await tail[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

/** A question of 1,000 tokens of answer at most; the server counts 120 in and 34 out. */
const QUESTION = {
  instructions: 'Say yes.',
  data: {},
  schema: z.object({ yes: z.boolean() }),
  maxOutputTokens: 1_000,
}
const asked = z.object({ model: z.string() })

async function use(name: string, quality: number, usd: number) {
  const size = { contextTokens: 100_000, maxOutputTokens: 10_000 }
  await setModel(world, admin, { provider: 'openai', name, ...size, quality: { draft_reply: quality } })
  await setModelPrice(world, admin, { modelId: `openai/${name}`, inputUsd: usd, outputUsd: usd })
}

async function platform() {
  const server = await startChatServer(() => ({ content: '{"yes":true}' }))
  const { database, secret } = world
  const task: ClaimedTask = {
    organizationId: admin.organizationId,
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
  }
  const call = {
    services: {
      database,
      tail,
      log: createLog('test', 'silent'),
      secret,
      kms: createKms({ secret }),
      models: { OPENAI_BASE_URL: server.baseURL, OPENAI_API_KEY: 'key' },
      allowLocalAgents: false,
    },
    actor: admin,
    agent: {
      id: task.agentId ?? '',
      name: 'writer',
      type: 'test.writer',
      status: 'active',
      teamId: null,
      domainId: null,
      version: 1,
      configurationHash: '',
      executor: { type: 'builtin' as const, function: 'draft_reply', settings: {}, files: {} },
      models: { primary: 'dear', fallback: 'cheap' },
      governs: null,
      reliability: readReliability(null),
    },
    secrets: {
      ofAgent: async () => '',
      ofProvider: async () => undefined,
      conceal: () => undefined,
      cut: (text: string) => text,
    },
    task,
    egress,
  }
  const model = (await openModel(call, 'draft_reply')) ?? expect.unreachable()
  let questions = 0
  return {
    /** A question that was not asked before. */
    ask: () => model.ask({ ...QUESTION, data: { question: (questions += 1) } }),
    called: () => server.requests.map(({ body }) => asked.parse(JSON.parse(body)).model),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

const used = async () => {
  const [row] = await world.database.readTenant<{ usd: number; tokens: number; calls: number; held: number }>(
    admin,
    `select used_usd::float8 as usd, used_tokens::int as tokens, used_calls::int as calls, reserved_calls::int as held
     from budget_use where organization_id = $1`,
    [admin.organizationId],
  )
  return row
}
const budget = (more: object) =>
  setBudget(world, admin, { name: 'all', window: 'total', onBreach: 'stop', ...more })

test('a call is settled with what it cost', async () => {
  await using on = await platform()
  await budget({ maxUsd: 5 })
  await on.ask()
  // 154 tokens of 8 US dollars a million.
  expect(await used()).toEqual({ usd: 0.001232, tokens: 154, calls: 1, held: 0 })
})

test('a budget that has no room for the best model is answered by the cheapest', async () => {
  await using on = await platform()
  // The estimate is for 1,000 tokens and some: 0.8, 0.4 and 0.1 cents. The first call cost 0.12.
  await budget({ maxUsd: 0.009, onBreach: 'cheaper_model' })
  for (let call = 0; call < 3; call++) await on.ask()
  expect(on.called()).toEqual(['dear', 'cheap', 'cheap'])
  const [first] = await world.database.readTenant<{ reason: object }>(
    admin,
    'select reason from model_call where organization_id = $1 and model_id = $2 limit 1',
    [admin.organizationId, 'openai/cheap'],
  )
  expect(first?.reason).toMatchObject({ after: [{ model: 'openai/dear', outcome: 'BUDGET_EXCEEDED' }] })
})

test('when not even the cheapest fits, or it is to stop, the attempt fails and names the budget', async () => {
  await using on = await platform()
  await budget({ maxCalls: 1, onBreach: 'cheaper_model' })
  await on.ask()
  const refused = { code: 'BUDGET_EXCEEDED', retryable: false, message: expect.stringContaining('"all"') }
  await expect(on.ask()).rejects.toMatchObject(refused)
  await budget({ maxUsd: 0.002 })
  await expect(on.ask()).rejects.toMatchObject(refused)
  expect(on.called()).toHaveLength(1)
  expect(await used()).toMatchObject({ calls: 1, held: 0 })
  const events = await world.database.readTenant<{ data: object }>(
    admin,
    `select data from log.event where organization_id = $1 and type = 'budget.breached' order by seq`,
    [admin.organizationId],
  )
  expect(events.map(({ data }) => data)).toMatchObject([
    { name: 'all', action: 'stop', stepPath: 'write' },
    { name: 'all', action: 'stop' },
  ])
})
