import { bindSubgraph, createLifecycle, createLog, listen, serveSubgraph } from '@tutti/runtime'
import { expect, test } from 'vitest'
import { startTestGateway } from '../../testing/start-test-gateway.ts'
import { createTestWorld } from '../../testing/test-world.ts'
import type { ConnectorAnswer, ConnectorCall } from './connector-route.ts'
import { receiveConnectorCallOverHttp } from './receive-hook-over-http.ts'

/** A gateway whose connectors are answered so; what was asked is in `calls`. */
async function door(answer: ConnectorAnswer) {
  const calls: ConnectorCall[] = []
  const gateway = await startTestGateway({
    receiveConnectorCall: async (call) => {
      calls.push(call)
      return answer
    },
  })
  return { calls, url: gateway.url, [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose]() }
}

test('a call comes as it was made, byte for byte, with its source’s headers and without ours', async () => {
  await using connectors = await door({ status: 200, body: { created: true } })
  const body = ' {"a":  1, "b": "ü\u2028"}\n'
  const response = await fetch(`${connectors.url}/connectors/secret-path?x=1`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'X-Hub-Signature-256': 'sha256=ab',
      authorization: 'Bearer key',
      cookie: 'a=b',
    },
    body,
  })
  expect([response.status, await response.json()]).toEqual([200, { created: true }])
  expect(connectors.calls).toMatchObject([
    {
      method: 'POST',
      path: 'secret-path',
      query: { x: '1' },
      headers: { 'x-hub-signature-256': 'sha256=ab', 'content-type': 'application/json' },
      body,
    },
  ])
  expect(Object.keys(connectors.calls[0]?.headers ?? {})).not.toContain('authorization')
  expect(Object.keys(connectors.calls[0]?.headers ?? {})).not.toContain('cookie')
})

test('a call that comes too soon is told when to come again, between processes too', async () => {
  const answer = { status: 429, body: { code: 'RATE_LIMITED', message: 'Too often.' }, retryAfter: 7 }
  await using connectors = await door(answer)
  const response = await fetch(`${connectors.url}/connectors/p`, { method: 'POST', body: '{}' })
  expect([response.status, response.headers.get('retry-after'), await response.json()]).toEqual([
    429,
    '7',
    answer.body,
  ])
})

test('a challenge is asked by GET and answered with text', async () => {
  await using connectors = await door({ status: 200, body: '1158201444' })
  const response = await fetch(`${connectors.url}/connectors/p?hub.mode=subscribe&hub.challenge=1158201444`)
  expect([response.headers.get('content-type'), await response.text()]).toEqual([
    'text/plain; charset=utf-8',
    '1158201444',
  ])
  expect(connectors.calls).toMatchObject([
    { method: 'GET', path: 'p', query: { 'hub.mode': 'subscribe', 'hub.challenge': '1158201444' }, body: '' },
  ])
  for (const method of ['HEAD', 'PUT', 'DELETE'])
    expect((await fetch(`${connectors.url}/connectors/p`, { method })).status).toBe(404)
})

test('over HTTP the agents process is asked by a signed call, and nobody else is answered', async () => {
  const secret = 'a secret of at least thirty-two bytes'
  const log = createLog('test', 'silent')
  const lifecycle = createLifecycle(log)
  const schema = createTestWorld().schemas['tasks']
  if (!schema) throw new Error('no subgraph')
  const asked: unknown[] = []
  const app = serveSubgraph({
    subgraph: bindSubgraph({ name: 'tasks', sdl: '', schema, context: (_, actor) => ({ actor }) }, null, log),
    secret,
    lifecycle,
    internal: {
      '/internal/connector': async (body) => {
        asked.push(body)
        return { status: 200, body: 'challenge' }
      },
    },
  })
  const port = await listen(app, { host: '127.0.0.1', port: 0 }, lifecycle)
  const url = `http://127.0.0.1:${port}`
  const call: ConnectorCall = { method: 'GET', path: 'p', query: {}, headers: {}, body: '' }
  expect(await receiveConnectorCallOverHttp(url, secret)(call)).toEqual({ status: 200, body: 'challenge' })
  await expect(receiveConnectorCallOverHttp(url, `${secret}!`)(call)).rejects.toThrow('401')
  expect(asked).toEqual([call])
  await lifecycle.stop()
})
