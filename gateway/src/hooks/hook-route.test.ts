import { bindSubgraph, createLifecycle, createLog, serveSubgraph, listen } from '@tutti/runtime'
import { expect, test } from 'vitest'
import { startTestGateway } from '../../testing/start-test-gateway.ts'
import { createTestWorld } from '../../testing/test-world.ts'
import type { HookAnswer, HookCall } from './hook-route.ts'
import { receiveHookOverHttp } from './receive-hook-over-http.ts'

/** A gateway whose hooks are answered so; what was asked is in `calls`. */
async function door(answer: (call: HookCall) => HookAnswer = () => ({ status: 202, body: { runId: 'r' } })) {
  const calls: HookCall[] = []
  const gateway = await startTestGateway({
    receiveHook: async (call) => {
      calls.push(call)
      return answer(call)
    },
  })
  const post = async (
    path: string,
    body?: NonNullable<RequestInit['body']>,
    headers: Record<string, string> = {},
  ) => {
    const response = await fetch(`${gateway.url}${path}`, {
      method: 'POST',
      headers,
      ...(body === undefined ? {} : { body }),
    })
    const retryAfter = response.headers.get('retry-after')
    return { status: response.status, text: await response.text(), retryAfter }
  }
  return { calls, post, gateway, [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose]() }
}

test('a call comes as it was made, byte for byte, and its answer goes back', async () => {
  await using hooks = await door()
  const body = ' {"a":  1, "b": "ü\u2028"}\n'
  const { status, text } = await hooks.post('/hooks/secret-path', body, {
    'content-type': 'application/json',
    'webhook-id': 'msg_1',
    'webhook-timestamp': '1700000000',
    'webhook-signature': 'v1,abc v1,def',
    authorization: 'Bearer not-a-key',
  })
  expect([status, JSON.parse(text)]).toEqual([202, { runId: 'r' }])
  expect(hooks.calls).toEqual([
    {
      path: 'secret-path',
      contentType: 'application/json',
      webhookId: 'msg_1',
      timestamp: '1700000000',
      signature: 'v1,abc v1,def',
      body,
    },
  ])
})

test('an answer that says when to come again says so in its header', async () => {
  await using hooks = await door(() => ({ status: 429, body: { code: 'RATE_LIMITED' }, retryAfter: 7 }))
  expect(await hooks.post('/hooks/x')).toEqual({
    status: 429,
    text: '{"code":"RATE_LIMITED"}',
    retryAfter: '7',
  })
})

test('every path and type is asked for alike, and no body is parsed here', async () => {
  await using hooks = await door(() => ({ status: 404, body: { code: 'NOT_FOUND' } }))
  const answers = [
    await hooks.post('/hooks/x', '{"broken', { 'content-type': 'application/json' }),
    await hooks.post('/hooks/', 'text', { 'content-type': 'text/plain' }),
    await hooks.post(`/hooks/${'x'.repeat(300)}`, new Uint8Array([0xff, 0xfe]), {
      'content-type': 'image/png',
    }),
    await hooks.post('/hooks/a/b/c'),
  ]
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
  expect(hooks.calls.map(({ body }) => body)).toEqual(['{"broken', 'text', null, ''])
})

test('1 MB is taken, 5 MB are refused before they are read, with the limit', async () => {
  await using hooks = await door()
  const json = { 'content-type': 'application/json' }
  expect((await hooks.post('/hooks/x', `"${'x'.repeat(1024 * 1024)}"`, json)).status).toBe(202)
  const large = await hooks.post('/hooks/x', `"${'x'.repeat(5 * 1024 * 1024)}"`, json)
  expect([large.status, JSON.parse(large.text)]).toEqual([
    413,
    { code: 'QUERY_TOO_LARGE', message: 'The body is larger than 2 MiB.' },
  ])
  expect(hooks.calls).toHaveLength(1)
})

test('a failure behind it is 503 without the reason', async () => {
  await using hooks = await door(() => {
    throw new Error('password=hunter2')
  })
  const { status, text } = await hooks.post('/hooks/x', '{}', { 'content-type': 'application/json' })
  expect(status).toBe(503)
  expect(text).not.toContain('hunter2')
  expect(hooks.gateway.masked).toHaveLength(1)
})

test('without anybody to ask there are no hooks, and GraphQL still takes its JSON', async () => {
  await using gateway = await startTestGateway()
  expect((await fetch(`${gateway.url}/hooks/x`, { method: 'POST' })).status).toBe(404)
  await using hooks = await door()
  const { status } = await hooks.gateway.post('{ __typename }', { key: 'tutti_viewer' })
  expect(status).toBe(200)
})

test('over HTTP the workflows process is asked by a signed call, and nobody else is answered', async () => {
  const secret = 'a secret of at least thirty-two bytes'
  const log = createLog('test', 'silent')
  const lifecycle = createLifecycle(log)
  const asked: unknown[] = []
  const schema = createTestWorld().schemas['tasks']
  if (!schema) throw new Error('no subgraph')
  const app = serveSubgraph({
    subgraph: bindSubgraph({ name: 'tasks', sdl: '', schema, context: (_, actor) => ({ actor }) }, null, log),
    secret,
    lifecycle,
    internal: {
      '/internal/webhook': async (body) => {
        asked.push(body)
        return { status: 429, body: { code: 'RATE_LIMITED' }, retryAfter: 3 }
      },
    },
  })
  const port = await listen(app, { host: '127.0.0.1', port: 0 }, lifecycle)
  const url = `http://127.0.0.1:${port}`
  const call = { path: 'p', contentType: null, webhookId: null, timestamp: null, signature: null, body: '{}' }
  expect(await receiveHookOverHttp(url, secret)(call)).toEqual({
    status: 429,
    body: { code: 'RATE_LIMITED' },
    retryAfter: 3,
  })
  await expect(receiveHookOverHttp(url, `${secret}!`)(call)).rejects.toThrow('401')
  expect(asked).toEqual([call])
  await lifecycle.stop()
})
