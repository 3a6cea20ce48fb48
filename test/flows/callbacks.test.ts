import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AgentCall, type HttpAgent, httpAgentDocument, startHttpAgent } from './http-agent.ts'
import { applyWorkflow, readRun, registerAgent, startRuns } from './operations.ts'
import { type Platform, startPlatform } from './platform.ts'

const cleanup = new AsyncDisposableStack()
let platform: Platform
let agent: HttpAgent

beforeAll(async () => {
  agent = cleanup.use(await startHttpAgent(() => ({ status: 202 })))
  platform = cleanup.use(
    await startPlatform('distributed', { environment: { TUTTI_ALLOW_LOCAL_AGENTS: 'true' } }),
  )
  await registerAgent(platform.as('operator'), httpAgentDocument('elsewhere', agent.url))
})
afterAll(() => cleanup.disposeAsync())

const PATIENCE = { timeout: 20_000, interval: 50 }

async function start(name: string, step: object = {}): Promise<string> {
  const operator = platform.as('operator')
  const steps = [{ name: 'work', agent: 'elsewhere', input: ['case'], output: 'result', ...step }]
  const workflowId = await applyWorkflow(operator, { format: 'tutti/1', name, inputs: ['case'], steps })
  const [id = ''] = await startRuns(operator, workflowId, [{ case: name }])
  return id
}

/** The call of a case, once it has come. */
async function callOf(name: string, attempt = 1): Promise<AgentCall> {
  const find = () => agent.calls.find(({ json }) => json.input['case'] === name && json.attempt === attempt)
  await expect.poll(find, PATIENCE).toBeDefined()
  return find() ?? expect.unreachable()
}

/** What the agent says when it is done: status and body of the answer. */
async function say(token: string, body: unknown): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${platform.url}/callbacks/${token}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: response.status, body: await response.json() }
}

const run = (id: string) => readRun(platform.as('viewer'), id)
const ended = (id: string, status = 'COMPLETED') =>
  expect.poll(async () => (await run(id)).status, PATIENCE).toBe(status)

test('an agent that answered 202 answers later, by its token alone, and once', async () => {
  const id = await start('later')
  const { taskId, reportToken } = (await callOf('later')).json
  await expect.poll(async () => (await run(id)).tasks[0]?.status, PATIENCE).toBe('WAITING')
  const progress = await platform
    .as('agent')
    .send('mutation($input: ReportProgressInput!) { reportProgress(input: $input) { task { id } } }', {
      input: { token: reportToken, percent: 40 },
    })
  expect(progress.body).toEqual({ data: { reportProgress: { task: { id: taskId } } } })
  const answer = { output: { words: 3 }, costUsd: 0.02 }
  expect(await say(reportToken, answer)).toEqual({ status: 200, body: { taskId } })
  await ended(id)
  expect(await run(id)).toMatchObject({ state: { result: { words: 3 } }, tasks: [{ attempt: 1 }] })
  // Said again, because its answer was lost.
  expect(await say(reportToken, answer)).toEqual({ status: 200, body: { taskId } })
  expect(await say(reportToken, { error: { code: 'NO', message: '' } })).toMatchObject({ status: 410 })
  expect(await platform.sql(`select cost_usd::float8 as cost from task where id = $1`, [taskId])).toEqual([
    { cost: 0.02 },
  ])
})

test('a failure is tried again as the step says, and the attempt before says no more', async () => {
  const id = await start('again', { retry: { attempts: 2, delay: '0s' } })
  const first = (await callOf('again')).json.reportToken
  const error = { code: 'BUSY', message: 'Not now.', retryable: true }
  expect((await say(first, { error })).status).toBe(200)
  const second = (await callOf('again', 2)).json.reportToken
  expect(await say(first, { output: 'too late' })).toMatchObject({
    status: 410,
    body: { code: 'STALE_LEASE' },
  })
  expect((await say(second, { output: 'in time' })).status).toBe(200)
  await ended(id)
  expect(await run(id)).toMatchObject({ state: { result: 'in time' } })
})

test('an attempt that says nothing in its time is over', async () => {
  const id = await start('silent', { timeout: '1s' })
  const token = (await callOf('silent')).json.reportToken
  await ended(id, 'FAILED')
  expect(await run(id)).toMatchObject({ tasks: [{ error: { code: 'STEP_TIMED_OUT' } }] })
  expect(await say(token, { output: 1 })).toMatchObject({ status: 410, body: { code: 'STALE_LEASE' } })
})

test('what is no token and what is no answer is refused, and changes nothing', async () => {
  const id = await start('wrong')
  const token = (await callOf('wrong')).json.reportToken
  for (const forged of ['x', `${token}x`, `x${token}`, token.replace('.', '')])
    expect(await say(forged, { output: 1 })).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } })
  for (const body of ['', 'x', '[]', { outputs: 1 }, { output: 1, error: { code: 'A', message: '' } }])
    expect(await say(token, body)).toMatchObject({ status: 400, body: { code: 'BAD_INPUT' } })
  expect(await say(token, { output: 'a\u0000b' })).toMatchObject({ status: 400 })
  expect((await run(id)).status).toBe('WAITING')
  expect((await say(token, { output: 1 })).status).toBe(200)
  await ended(id)
})

test('a paused run keeps the answer until it is resumed', async () => {
  const id = await start('paused')
  const token = (await callOf('paused')).json.reportToken
  await expect.poll(async () => (await run(id)).tasks[0]?.status, PATIENCE).toBe('WAITING')
  const control = (name: string) =>
    platform
      .as('operator')
      .query(
        `mutation($input: ${name[0]?.toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { run { id } } }`,
        {
          input: { id },
        },
      )
  await control('pauseRun')
  expect((await say(token, { output: 'kept' })).status).toBe(200)
  expect((await run(id)).status).toBe('PAUSED')
  await control('resumeRun')
  await ended(id)
  expect(await run(id)).toMatchObject({ state: { result: 'kept' } })
})
