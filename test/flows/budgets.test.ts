import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startChatServer } from './chat-server.ts'
import { applyWorkflow, readRun, registerAgent, type RunSeen, startRuns } from './operations.ts'
import { type Platform, startPlatform } from './platform.ts'

const MODEL_AGENT = `
metadata: { name: writer, type: service.writing, version: 1.0.0 }
capabilities: [write]
executor: { type: builtin, function: draft_reply }
ai_models: { primary: gpt-4-turbo }
`
const reply = {
  reply: 'Your order is on its way.',
  language: 'en',
  articleIds: [],
  unanswered: [],
  confidence: 1,
}

const cleanup = new AsyncDisposableStack()
let platform: Platform
let model: Awaited<ReturnType<typeof startChatServer>>
let outside: string

beforeAll(async () => {
  model = cleanup.use(await startChatServer(() => reply))
  // An agent outside that asks 25 cents for whatever it does.
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ output: 'done', costUsd: 0.25 }))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanup.defer(() => void server.close())
  const { port } = server.address() as AddressInfo
  outside = `http://127.0.0.1:${port}`
  platform = cleanup.use(
    await startPlatform('standalone', {
      environment: {
        OPENAI_BASE_URL: model.baseUrl,
        OPENAI_API_KEY: 'a-key-for-tests',
        TUTTI_ALLOW_LOCAL_AGENTS: 'true',
      },
    }),
  )
  await registerAgent(platform.as('operator'), MODEL_AGENT)
})
afterAll(() => cleanup.disposeAsync())

async function setBudget(input: object): Promise<string> {
  const { setBudget } = await platform
    .as('admin')
    .query<{ setBudget: { budget: { id: string } } }>(
      'mutation($input: SetBudgetInput!) { setBudget(input: $input) { budget { id } } }',
      { input },
    )
  return setBudget.budget.id
}

interface Used {
  used: { usd: number; tokens: number; calls: number }
  reserved: { calls: number }
}
async function useOf(id: string): Promise<Used> {
  const { budget } = await platform
    .as('viewer')
    .query<{ budget: { use: Used } }>(
      'query($id: ID!) { budget(id: $id) { use { used { usd tokens calls } reserved { calls } } } }',
      { id },
    )
  return budget.use
}

async function start(name: string, agent: string): Promise<string> {
  const operator = platform.as('operator')
  const workflowId = await applyWorkflow(operator, {
    format: 'tutti/1',
    name,
    inputs: ['customer_message'],
    steps: [{ name: 'work', agent, input: ['customer_message'], output: 'result', retry: { attempts: 3 } }],
  })
  const [id = ''] = await startRuns(operator, workflowId, [
    { customer_message: `Where is my order? ${name}` },
  ])
  return id
}

async function until(id: string, status: string): Promise<RunSeen> {
  await expect
    .poll(async () => (await readRun(platform.as('viewer'), id)).status, { timeout: 20_000 })
    .toBe(status)
  return readRun(platform.as('viewer'), id)
}

test('a run that a budget has no room for is paused, and goes on where it was once the budget is raised', async () => {
  const budget = { name: 'writing', scope: 'ORGANIZATION', window: 'DAY', onBreach: 'PAUSE' }
  const budgetId = await setBudget({ ...budget, maxTokens: 10 })
  const id = await start('paused', 'writer')
  expect(await until(id, 'PAUSED')).toMatchObject({ tasks: [{ error: null }] })
  expect(model.requests).toEqual([])
  const { run } = await platform
    .as('viewer')
    .query<{ run: { history: { nodes: { type: string; data: { reason?: string } }[] } } }>(
      'query($id: ID!) { run(id: $id) { history(first: 100) { nodes { type data } } } }',
      { id },
    )
  const types = run.history.nodes.map(({ type }) => type)
  expect(types).toEqual(expect.arrayContaining(['budget.breached', 'run.paused']))
  const paused = run.history.nodes.find(({ type }) => type === 'run.paused')
  expect(paused?.data.reason).toContain('"writing"')
  // Resumed without a larger budget, it is paused again.
  const resume = () =>
    platform
      .as('operator')
      .query('mutation($input: ResumeRunInput!) { resumeRun(input: $input) { run { id } } }', {
        input: { id },
      })
  const breaches = async () =>
    (
      await platform.sql<{ n: number }>(
        `select count(*)::int as n from log.event where type = 'budget.breached' and data->>'runId' = $1`,
        [id],
      )
    )[0]?.n
  await resume()
  await expect.poll(breaches, { timeout: 20_000 }).toBe(2)
  await until(id, 'PAUSED')
  await setBudget({ ...budget, maxTokens: 100_000 })
  await resume()
  expect(await until(id, 'COMPLETED')).toMatchObject({ tasks: [{ status: 'COMPLETED', attempt: 1 }] })
  expect(model.requests).toHaveLength(1)
  expect(await useOf(budgetId)).toMatchObject({ used: { tokens: 154, calls: 1 }, reserved: { calls: 0 } })
})

test('a step whose budget says stop fails at once, whatever its retries', async () => {
  await setBudget({ name: 'each run', scope: 'RUN', window: 'TOTAL', maxCalls: 0 })
  const run = await until(await start('stopped', 'writer'), 'FAILED')
  expect(run.tasks).toMatchObject([{ attempt: 1, error: { code: 'BUDGET_EXCEEDED' } }])
  await setBudget({ name: 'each run', scope: 'RUN', window: 'TOTAL' })
})

test('a run’s budget bounds what its sub-workflows spend together', async () => {
  const operator = platform.as('operator')
  const below = (name: string) =>
    applyWorkflow(operator, {
      format: 'tutti/1',
      name,
      inputs: ['customer_message'],
      steps: [{ name: 'work', agent: 'writer', input: ['customer_message'], output: 'result' }],
    })
  await below('first_below')
  await below('second_below')
  const workflowId = await applyWorkflow(operator, {
    format: 'tutti/1',
    name: 'above',
    inputs: ['one', 'another'],
    steps: [
      { name: 'first', workflow: 'first_below', input: { customer_message: 'one' } },
      { name: 'second', workflow: 'second_below', input: { customer_message: 'another' } },
    ],
  })
  const budgetId = await setBudget({ name: 'above', scope: 'RUN', workflowId, window: 'TOTAL', maxCalls: 1 })
  const [id = ''] = await startRuns(operator, workflowId, [
    // Two questions: the same one would be answered from the cache, and cost nothing.
    { one: 'Where is my first order?', another: 'Where is my second order?' },
  ])
  const run = await until(id, 'FAILED')
  expect(run.tasks.map(({ status }) => status)).toEqual(['COMPLETED', 'FAILED'])
  expect(JSON.stringify(run.tasks[1])).toContain('BUDGET_EXCEEDED')
  const { budget } = await platform
    .as('viewer')
    .query<{ budget: { use: Used } }>(
      'query($id: ID!, $run: ID!) { budget(id: $id) { use(runId: $run) { used { usd tokens calls } reserved { calls } } } }',
      { id: budgetId, run: id },
    )
  expect(budget.use).toMatchObject({ used: { calls: 1 }, reserved: { calls: 0 } })
})

test('what an agent outside reports is counted, and nothing of it begins once its budget is used up', async () => {
  const agentId = await registerAgent(
    platform.as('operator'),
    `metadata: { name: outside, type: service.work, version: 1.0.0 }\nexecutor: { type: http, url: ${outside} }\n`,
  )
  const budgetId = await setBudget({ name: 'outside', agentId, window: 'TOTAL', maxUsd: 0.25 })
  await until(await start('reported', 'outside'), 'COMPLETED')
  await expect.poll(async () => (await useOf(budgetId)).used.usd, { timeout: 20_000 }).toBe(0.25)
  const run = await until(await start('refused', 'outside'), 'FAILED')
  expect(run.tasks).toMatchObject([{ error: { code: 'BUDGET_EXCEEDED' } }])
  const { costs } = await platform
    .as('viewer')
    .query<{ costs: { rows: object[] } }>(
      '{ costs(by: [AGENT]) { rows { agent { name } sums { calls reportedUsd } } } }',
    )
  expect(costs.rows).toContainEqual({ agent: { name: 'outside' }, sums: { calls: 0, reportedUsd: 0.25 } })
})
