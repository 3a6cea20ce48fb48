import { once } from 'node:events'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'

import { startTestGateway, type TestGateway, testToken } from '../../testing/start-test-gateway.ts'
import { until } from '../../testing/until.ts'
import { SLOW_CONSUMER } from './socket-session.ts'

const EVENTS = 'subscription { taskEvents { kind task { title } } }'

/** A bare socket that speaks the protocol by hand. */
async function open(door: TestGateway, protocol = 'graphql-transport-ws') {
  const socket = new WebSocket(door.wsUrl, protocol)
  const messages: { type: string; id?: string; payload?: unknown }[] = []
  socket.on('message', (data) => messages.push(JSON.parse(String(data))))
  const closed = once(socket, 'close').then(([code, reason]) => ({
    code: Number(code),
    reason: String(reason),
  }))
  await once(socket, 'open')
  return {
    socket,
    messages,
    closed,
    send: (message: unknown) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    async init(key = 'tutti_viewer') {
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } }))
      await until('an ack', () => messages.some((message) => message.type === 'connection_ack'))
    },
  }
}

const subscribe = (id: string, query = EVENTS) => ({ id, type: 'subscribe', payload: { query } })

test.each([
  ['a subscribe before the init', 4401, subscribe('1')],
  ['something that is not JSON', 4400, 'hello'],
  ['a message of no known type', 4400, { type: 'nonsense' }],
  ['an init without a credential', 4401, { type: 'connection_init' }],
  ['an init with a wrong key', 4403, { type: 'connection_init', payload: { apiKey: 'tutti_nobody' } }],
  [
    'an init with a malformed header',
    4403,
    { type: 'connection_init', payload: { authorization: 'Basic abc' } },
  ],
  ['a poisoned message', 4400, '{"type":"connection_init","payload":{"__proto__":{"a":1}}}'],
])('%s closes with %i', async (_what, code, message) => {
  await using door = await startTestGateway()
  const peer = await open(door)
  peer.send(message)
  expect((await peer.closed).code).toBe(code)
})

test('a second init closes with 4429, a second subscriber of one id with 4409', async () => {
  await using door = await startTestGateway()
  const first = await open(door)
  await first.init()
  first.send({ type: 'connection_init' })
  expect((await first.closed).code).toBe(4429)
  const second = await open(door)
  await second.init()
  second.send(subscribe('1'))
  second.send(subscribe('1'))
  expect((await second.closed).code).toBe(4409)
})

test('another protocol closes with 4406, no init in time with 4408', async () => {
  await using door = await startTestGateway({ timings: { init: 30 } })
  const silent = await open(door)
  expect((await silent.closed).code).toBe(4408)
  const other = new WebSocket(door.wsUrl)
  const [code] = await once(other, 'close')
  expect(code).toBe(4406)
})

test('a ping is answered with its payload', async () => {
  await using door = await startTestGateway()
  const peer = await open(door)
  peer.send({ type: 'ping', payload: { a: 1 } })
  await until('a pong', () => peer.messages.length === 1)
  expect(peer.messages).toEqual([{ type: 'pong', payload: { a: 1 } }])
  peer.socket.close()
})

test('a message that is too large closes with 1009', async () => {
  await using door = await startTestGateway()
  const peer = await open(door)
  await peer.init()
  peer.send(subscribe('1', `${EVENTS} #${'x'.repeat(300_000)}`))
  expect((await peer.closed).code).toBe(1009)
})

test('one socket has fifty operations at most', async () => {
  await using door = await startTestGateway()
  const peer = await open(door)
  await peer.init()
  for (let i = 0; i < 51; i++) peer.send(subscribe(String(i)))
  await until('a refusal', () => peer.messages.some((message) => message.type === 'error'))
  expect(peer.messages.filter((message) => message.type === 'error')).toMatchObject([
    { id: '50', payload: [{ extensions: { code: 'RATE_LIMITED' } }] },
  ])
  peer.socket.close()
})

test('queries and mutations run over the socket as well', async () => {
  await using door = await startTestGateway()
  const client = door.socketClient('tutti_operator')
  for (const query of ['{ task(id: "1") { title } }', 'mutation { task: finishTask(id: "1") { title } }']) {
    const results = []
    for await (const result of client.iterate({ query })) results.push(result)
    expect(results).toEqual([{ data: { task: { title: 'Task 1' } } }])
  }
})

test('the token’s expiry closes what it opened', async () => {
  await using door = await startTestGateway()
  const peer = await open(door)
  await peer.init(testToken({ sub: 'viewer', exp: Date.now() / 1_000 + 0.5 }))
  peer.send(subscribe('1'))
  await until('an upstream', () => door.world.listeners === 1)
  expect(await peer.closed).toEqual({ code: 4403, reason: 'expired' })
  await until('no upstream', () => door.world.listeners === 0)
})

test('a key’s revocation closes what it opened, and nothing else', async () => {
  await using door = await startTestGateway({ timings: { recheck: 50 } })
  const [eva, max] = [await open(door), await open(door)]
  await eva.init('tutti_viewer_eva')
  await max.init('tutti_viewer_max')
  door.revoked.add('tutti_viewer_eva')
  expect(await eva.closed).toEqual({ code: 4403, reason: 'revoked' })
  max.send({ type: 'ping' })
  await until('a pong', () => max.messages.some((message) => message.type === 'pong'))
  max.socket.close()
})

test('who reads too slowly is cut off with the last cursor, others are not held up', async () => {
  await using door = await startTestGateway()
  const query = 'subscription { taskEvents { kind } }'
  const slow = await open(door)
  await slow.init('tutti_viewer_slow')
  slow.send(subscribe('1', query))
  const quick = await open(door)
  await quick.init('tutti_viewer_quick')
  quick.send(subscribe('1', query))
  await until('two members', () => door.gateway.counts().members === 2)
  slow.socket.pause()
  let sent = 0
  const kind = 'k'.repeat(100_000)
  while (door.gateway.counts().members === 2 && sent < 1_000) {
    door.world.emit({ kind })
    sent += 1
    await until('the quick one has it', () => quick.messages.length > sent)
  }
  expect(door.gateway.counts().members).toBe(1)
  slow.socket.resume()
  const { code, reason } = await slow.closed
  expect(code).toBe(SLOW_CONSUMER)
  expect(reason).toMatch(/^slow consumer; cursor=[0-9a-z]{13}$/)
  quick.socket.close()
})

test('a peer that does not answer pings is given up', async () => {
  await using door = await startTestGateway({ timings: { keepAlive: 40 } })
  const peer = await open(door)
  await peer.init()
  peer.send(subscribe('1'))
  await until('an upstream', () => door.world.listeners === 1)
  peer.socket.pause()
  await until('no upstream', () => door.world.listeners === 0)
  peer.socket.terminate()
})

test('draining tells clients to go elsewhere', async () => {
  const door = await startTestGateway()
  const peer = await open(door)
  await peer.init()
  peer.send(subscribe('1'))
  await until('an upstream', () => door.world.listeners === 1)
  await door[Symbol.asyncDispose]()
  expect((await peer.closed).code).toBe(1001)
  expect(door.world.listeners).toBe(0)
})
