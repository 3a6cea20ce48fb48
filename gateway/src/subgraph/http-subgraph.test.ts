import { expect, test } from 'vitest'

import { serveTestWorld } from '../../testing/serve-test-world.ts'
import { startTestGateway, type TestResult } from '../../testing/start-test-gateway.ts'
import { createTestWorld } from '../../testing/test-world.ts'
import { until } from '../../testing/until.ts'

const EVENTS = 'subscription { taskEvents { kind task { title agent { name } quality { score } } } }'

test('three subgraphs of other processes answer one query, for the actor who asks', async () => {
  const world = createTestWorld()
  await using served = await serveTestWorld(world)
  await using door = await startTestGateway({ world, endpoints: served.endpoints })
  const { body } = await door.post('{ task(id: "5") { title agent { name } quality { score } } }', {
    key: 'tutti_viewer_eva',
  })
  expect(body).toEqual({
    data: { task: { title: 'Task 5', agent: { name: 'Agent a5' }, quality: { score: 0.05 } } },
  })
  expect(world.actors.at(-1)?.id).toBe('eva')
  expect((await fetch(`${door.url}/ready`)).status).toBe(200)
})

test('nobody but the gateway is answered by a subgraph', async () => {
  await using served = await serveTestWorld(createTestWorld())
  const response = await fetch(served.urls['tasks'] ?? '', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ task(id: "1") { id } }' }),
  })
  expect(response.status).toBe(401)
})

test('a subgraph that is down is said to be unavailable, and the rest is answered', async () => {
  const world = createTestWorld()
  await using served = await serveTestWorld(world)
  await using door = await startTestGateway({ world, endpoints: served.endpoints })
  await served.crash('quality')
  const { body } = await door.post('{ task(id: "5") { title quality { score } } }', { key: 'tutti_viewer' })
  expect(body.data).toEqual({ task: { title: 'Task 5', quality: null } })
  expect(body.errors?.map((error) => error.extensions?.['code'])).toEqual(['UNAVAILABLE'])
  expect((await fetch(`${door.url}/ready`)).status).toBe(503)
})

test('a subscription goes on from its cursor after its subgraph was lost', async () => {
  const world = createTestWorld()
  await using served = await serveTestWorld(world)
  await using door = await startTestGateway({ world, endpoints: served.endpoints })
  const results: TestResult[] = []
  door
    .socketClient('tutti_viewer')
    .subscribe(
      { query: EVENTS },
      { next: (result) => results.push(result as TestResult), error() {}, complete() {} },
    )
  await until('an upstream', () => world.listeners === 1)
  const sent = [world.emit().cursor]
  await until('the first', () => results.length === 1)
  await served.crash('tasks')
  await until('the upstream is gone', () => world.listeners === 0)
  sent.push(world.emit().cursor, world.emit().cursor)
  await served.revive('tasks')
  await until('the missed ones', () => results.length === 3)
  sent.push(world.emit().cursor)
  await until('the next', () => results.length === 4)
  expect(results.map((result) => result.extensions?.['cursor'])).toEqual(sent)
  expect(results[3]).toMatchObject({
    data: { taskEvents: { task: { agent: { name: expect.any(String) } } } },
  })
})

test('the last to leave closes the upstream in the other process', async () => {
  const world = createTestWorld()
  await using served = await serveTestWorld(world)
  await using door = await startTestGateway({ world, endpoints: served.endpoints })
  const stop = door
    .socketClient('tutti_viewer')
    .subscribe({ query: EVENTS }, { next() {}, error() {}, complete() {} })
  await until('an upstream', () => world.listeners === 1)
  stop()
  await until('no upstream', () => world.listeners === 0)
})

test('clients hear of a subgraph that stays away', async () => {
  const world = createTestWorld()
  await using served = await serveTestWorld(world)
  await using door = await startTestGateway({ world, endpoints: served.endpoints, timings: { outage: 300 } })
  const failed = Promise.withResolvers<unknown>()
  door
    .socketClient('tutti_viewer')
    .subscribe({ query: EVENTS }, { next() {}, error: failed.resolve, complete() {} })
  await until('an upstream', () => world.listeners === 1)
  await served.crash('tasks')
  expect(await failed.promise).toMatchObject([{ extensions: { code: 'UNAVAILABLE' } }])
})
