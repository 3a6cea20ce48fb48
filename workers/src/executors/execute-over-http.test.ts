import { createHmac, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { type AgentExecutor, agentSigningSecret } from '@tutti/agents/domain'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { executeOverHttp, type HttpCall } from './execute-over-http.ts'
import { type Egress, openEgress } from './open-egress.ts'
import { readLines } from './read-agent-stream.ts'

const SECRET = 'a secret of at least thirty-two bytes'
const AGENT_ID = '01990000-0000-7000-8000-000000000003'
const server = createServer(async (request, response) => {
  calls.push({ headers: request.headers, body: await text(request) })
  answer(response)
})
let calls: { headers: IncomingHttpHeaders; body: string }[] = []
let answer: (response: ServerResponse) => void
let url: string
/** What the agent said before its answer. */
let said: unknown[] = []
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
  said = []
})

const replying =
  (status: number, body: string, headers: Record<string, string> = {}) =>
  (response: ServerResponse) => {
    response.writeHead(status, headers)
    response.end(body)
  }

function execute(
  more: {
    url?: string
    authorization?: AgentExecutor['executor']['authorization']
    egress?: Egress
    signal?: AbortSignal
    lastReport?: HttpCall['lastReport']
  } = {},
) {
  const executor: AgentExecutor['executor'] = {
    type: 'http',
    url: more.url ?? url,
    authorization: more.authorization,
    settings: {},
    files: {},
  }
  const agent = { id: AGENT_ID, name: 'classifier', executor }
  const task = {
    organizationId: 'o',
    id: 't',
    runId: 'r',
    stepPath: 'classify',
    attempt: 2,
    input: { message: 'Grüße' },
    strandId: 's',
    fence: 3n,
  }
  return executeOverHttp({
    services: { secret: SECRET },
    agent,
    task,
    egress: more.egress ?? egress,
    secrets: {
      ofAgent: async (name) => `value-of-${name}`,
      ofProvider: async () => undefined,
      conceal: () => undefined,
      cut: (text: string) => text,
    },
    idempotencyKey: 'key-1',
    signal: more.signal ?? AbortSignal.timeout(10_000),
    lastReport: more.lastReport ?? null,
    report: (progress) => said.push(progress),
    heartbeat: () => said.push('heartbeat'),
    log: (...line) => said.push(line),
  })
}

const error = (code: string, more: object = {}) => ({ type: 'failed', error: { code, ...more } })

test.each([
  [{ header: 'authorization', scheme: 'Bearer' }, 'Bearer value-of-crm'],
  [{ header: 'x-api-key', scheme: '' }, 'value-of-crm'],
  [{ header: 'authorization', scheme: 'Basic' }, `Basic ${Buffer.from('value-of-crm').toString('base64')}`],
])('a credential is borne as the configuration says: %o', async (as, sent) => {
  answer = replying(200, '{"output":1}')
  await execute({ authorization: { credential: 'crm', ...as } })
  expect(calls[0]?.headers[as.header]).toBe(sent)
})

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
    reportToken: expect.stringMatching(/^[\w-]+\.[\w-]+$/),
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
  ['more than 2 MiB', `{"output":"${'x'.repeat(2 * 1024 * 1024)}"}`, 'AGENT_ANSWER_TOO_LARGE', false],
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

const NDJSON = { 'content-type': 'application/x-ndjson; charset=utf-8' }

test('what an agent says line by line is passed on as it comes, until its answer', async () => {
  const heard = Promise.withResolvers<void>()
  answer = async (response) => {
    response.writeHead(200, NDJSON)
    response.write('{"progress":{"percent":10,"message":"Grü')
    response.write('ße"}}\n\n{"heartbeat":true}\r\n{"log":{"message":"half way"}}\n')
    await heard.promise
    response.write('{"output":{"done":true},"costUsd":0.5}\n{"progress":{"percent":100}}\n')
    response.end()
  }
  const outcome = execute()
  await expect.poll(() => said.length).toBe(3)
  heard.resolve()
  expect(await outcome).toEqual({ type: 'succeeded', output: { done: true }, costUsd: 0.5 })
  expect(said).toEqual([{ percent: 10, message: 'Grüße' }, 'heartbeat', ['info', 'half way', undefined]])
})

test('who begins again is told what was last reported', async () => {
  answer = replying(200, '{"output":1}')
  await execute({ lastReport: { percent: 40, message: null, data: { done: 2 } } })
  expect(JSON.parse(calls[0]?.body ?? '')).toMatchObject({
    progress: { percent: 40, message: null, data: { done: 2 } },
  })
})

test.each([
  ['no answer', '{"heartbeat":true}\n', 'AGENT_ANSWER_INVALID', true],
  ['nothing', '', 'AGENT_ANSWER_INVALID', true],
  ['a line that is no JSON', 'ready\n{"output":1}', 'AGENT_ANSWER_INVALID', true],
  ['a line of another kind', '{"status":"ready"}\n{"output":1}', 'AGENT_ANSWER_INVALID', false],
  ['an answer without a line break', '{"error":{"code":"NO_MODEL","message":"gone"}}', 'NO_MODEL', false],
  [
    'a line of more than 2 MiB',
    `{"output":"${'x'.repeat(2 * 1024 * 1024)}"}\n`,
    'AGENT_ANSWER_TOO_LARGE',
    false,
  ],
])('a stream with %s is a failure', async (_, body, code, retryable) => {
  answer = replying(200, body, NDJSON)
  expect(await execute()).toMatchObject(error(code, { retryable }))
})

test('a stream of lines is read the same however it is cut into pieces', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 20 })),
      fc.array(fc.nat(30)),
      async (texts, cuts) => {
        const whole = Buffer.from(texts.map((text) => `${JSON.stringify(text)}\n`).join(''))
        async function* pieces() {
          let from = 0
          for (const size of cuts) yield whole.subarray(from, (from += size))
          yield whole.subarray(from)
        }
        const lines: unknown[] = []
        for await (const line of readLines(pieces(), 1_000)) lines.push(JSON.parse(line ?? ''))
        expect(lines).toEqual(texts)
      },
    ),
    { numRuns: 40 },
  )
})
