import { createHmac, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { AgentExecutor } from '@tutti/agents/domain'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { agentSigningSecret, executeOverHttp } from './execute-over-http.ts'
import { type Egress, openEgress } from './open-egress.ts'

const SECRET = 'a secret of at least thirty-two bytes'
const AGENT_ID = '01990000-0000-7000-8000-000000000003'
const server = createServer(async (request, response) => {
  calls.push({ headers: request.headers, body: await text(request) })
  answer(response)
})
let calls: { headers: IncomingHttpHeaders; body: string }[] = []
let answer: (response: ServerResponse) => void
let url: string
let egress: Egress

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/agent`
  egress = openEgress({ allowLocal: true })
})
afterAll(async () => {
  await egress[Symbol.asyncDispose]()
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  calls = []
})

const replying =
  (status: number, body: string, headers: Record<string, string> = {}) =>
  (response: ServerResponse) => {
    response.writeHead(status, headers)
    response.end(body)
  }

function execute(more: { url?: string; egress?: Egress; signal?: AbortSignal } = {}) {
  const executor: AgentExecutor['executor'] = { type: 'http', url: more.url ?? url, settings: {}, files: {} }
  const agent = { id: AGENT_ID, name: 'classifier', executor }
  const task = { id: 't', runId: 'r', stepPath: 'classify', attempt: 2, input: { message: 'Grüße' } }
  return executeOverHttp({
    services: { secret: SECRET },
    agent,
    task,
    egress: more.egress ?? egress,
    idempotencyKey: 'key-1',
    signal: more.signal ?? AbortSignal.timeout(10_000),
  })
}

const error = (code: string, more: object = {}) => ({ type: 'failed', error: { code, ...more } })

test('the call is signed as Standard Webhooks say, over exactly what was sent', async () => {
  answer = replying(200, '{"output":{"intent":"greeting"},"costUsd":0.002}')
  expect(await execute()).toEqual({ type: 'succeeded', output: { intent: 'greeting' }, costUsd: 0.002 })
  const [call] = calls
  const id = String(call?.headers['webhook-id'])
  const timestamp = String(call?.headers['webhook-timestamp'])
  const [version, signature] = String(call?.headers['webhook-signature']).split(',')
  const expected = createHmac('sha256', agentSigningSecret(SECRET, AGENT_ID))
    .update(`${id}.${timestamp}.${call?.body}`)
    .digest()
  expect(version).toBe('v1')
  expect(timingSafeEqual(Buffer.from(signature ?? '', 'base64'), expected)).toBe(true)
  expect(Math.abs(Number(timestamp) * 1_000 - Date.now())).toBeLessThan(300_000)
  expect([id, call?.headers['idempotency-key']]).toEqual(['key-1', 'key-1'])
  expect(JSON.parse(call?.body ?? '')).toEqual({
    taskId: 't',
    runId: 'r',
    step: 'classify',
    attempt: 2,
    input: { message: 'Grüße' },
  })
  expect(agentSigningSecret(SECRET, 'another').equals(agentSigningSecret(SECRET, AGENT_ID))).toBe(false)
})

test.each([
  [429, { 'retry-after': '7' }, { retryable: true, retryAfterMs: 7_000 }],
  [429, {}, { retryable: true }],
  [503, {}, { retryable: true }],
  [503, { 'retry-after': 'Fri, 01 Jan 2010 00:00:00 GMT' }, { retryable: true, retryAfterMs: 0 }],
  [500, { 'retry-after': 'soon' }, { retryable: true }],
  [400, {}, { retryable: false }],
  [404, {}, { retryable: false }],
] as const)(
  'status %i with %j fails, and says whether another attempt may help',
  async (status, headers, as) => {
    answer = replying(status, 'no', headers)
    const outcome = await execute()
    expect(outcome).toMatchObject(error('AGENT_REFUSED', as))
    if (!('retryAfterMs' in as)) expect(JSON.stringify(outcome)).not.toContain('retryAfterMs')
  },
)

test('a redirect is not followed', async () => {
  answer = replying(302, '', { location: url })
  expect(await execute()).toMatchObject(error('AGENT_REFUSED', { retryable: false }))
  expect(calls).toHaveLength(1)
})

test.each([
  ['no JSON', '{"output":', 'AGENT_ANSWER_INVALID', true],
  ['neither output nor error', '{"result":1}', 'AGENT_ANSWER_INVALID', false],
  ['both', '{"output":1,"error":{"code":"X","message":"x"}}', 'AGENT_ANSWER_INVALID', false],
  ['a negative cost', '{"output":1,"costUsd":-1}', 'AGENT_ANSWER_INVALID', false],
  ['its own error', '{"error":{"code":"NO_MODEL","message":"gone","retryable":true}}', 'NO_MODEL', true],
  ['more than 1 MiB', `{"output":"${'x'.repeat(1024 * 1024)}"}`, 'AGENT_ANSWER_TOO_LARGE', false],
])('an answer of %s is a failure', async (_, body, code, retryable) => {
  answer = replying(200, body)
  expect(await execute()).toMatchObject(error(code, { retryable }))
})

test('an answer without end is not read to its end', async () => {
  const gone = Promise.withResolvers<void>()
  answer = (response) => {
    response.on('close', gone.resolve)
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
      response.once('drain', more)
    }
    more()
  }
  expect(await execute()).toMatchObject(error('AGENT_ANSWER_TOO_LARGE'))
  await gone.promise
})

test('nobody there, or an attempt out of time, may be tried again', async () => {
  expect(await execute({ url: 'http://127.0.0.1:1/' })).toMatchObject(
    error('AGENT_UNREACHABLE', { retryable: true }),
  )
  const ending = new AbortController()
  answer = () => ending.abort()
  expect(await execute({ signal: ending.signal })).toMatchObject(
    error('AGENT_UNREACHABLE', { retryable: true }),
  )
})

test('what is not public is not called, by its address or by its name, and is not tried again', async () => {
  await using strict = openEgress({
    allowLocal: false,
    resolve: (_name, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
  })
  for (const refused of [url, 'https://127.0.0.1/', 'https://agent.example/']) {
    expect(await execute({ url: refused, egress: strict })).toMatchObject(
      error('AGENT_ADDRESS_REFUSED', { retryable: false }),
    )
  }
  expect(calls).toEqual([])
})
