import { expect, test } from 'vitest'

import { startTestGateway, type TestGateway, type TestResult } from '../../testing/start-test-gateway.ts'
import { until } from '../../testing/until.ts'

const FEDERATED = `subscription ($after: String) {
  taskEvents(after: $after) { kind task { title agent { name } quality { score } } }
}`

/** Collects what a subscription brings. */
function collect(door: TestGateway, key: string, query = FEDERATED, variables: Record<string, unknown> = {}) {
  const client = door.socketClient(key)
  const results: TestResult[] = []
  const ended = Promise.withResolvers<unknown>()
  const stop = client.subscribe(
    { query, variables },
    {
      next: (result) => results.push(result as TestResult),
      error: ended.resolve,
      complete: () => ended.resolve(undefined),
    },
  )
  return {
    client,
    results,
    stop,
    ended: ended.promise,
    get cursors() {
      return results.map((result) => result.extensions?.['cursor'])
    },
  }
}

async function listening(door: TestGateway, count = 1): Promise<void> {
  await until(`${count} upstream subscriptions`, () => door.world.listeners === count)
}

async function members(door: TestGateway, count: number): Promise<void> {
  await until(`${count} members`, () => door.gateway.counts().members === count)
}

test('an event brings fields of three subgraphs and its cursor', async () => {
  await using door = await startTestGateway()
  const mine = collect(door, 'tutti_viewer')
  await listening(door)
  const event = door.world.emit({ taskId: '5' })
  await until('one result', () => mine.results.length === 1)
  expect(mine.results[0]).toEqual({
    data: {
      taskEvents: {
        kind: 'moved',
        task: { title: 'Task 5', agent: { name: 'Agent a5' }, quality: { score: 0.05 } },
      },
    },
    extensions: { cursor: event.cursor },
  })
})

test('identical subscriptions share upstream, execution and message', async () => {
  await using door = await startTestGateway()
  const all = Array.from({ length: 20 }, (_, index) => collect(door, `tutti_viewer_person${index}`))
  await members(door, 20)
  await listening(door)
  for (let i = 0; i < 5; i++) door.world.emit()
  await until('all have all', () => all.every((each) => each.results.length === 5))
  const { upstreams, executions, deliveries, streams } = door.gateway.counts()
  expect({ upstreams, executions, deliveries, streams }).toEqual({
    upstreams: 1,
    executions: 5,
    deliveries: 100,
    streams: 1,
  })
  expect(door.world.asked['quality.entity']).toBe(5)
})

test('layout and operation name do not matter, variables do', async () => {
  await using door = await startTestGateway()
  collect(door, 'tutti_viewer', 'subscription A($kind: String) { taskEvents(kind: $kind) { kind } }', {
    kind: 'moved',
  })
  collect(door, 'tutti_viewer', 'subscription B ( $kind: String ) {taskEvents(kind:$kind) {  kind }}', {
    kind: 'moved',
  })
  const other = collect(
    door,
    'tutti_viewer',
    'subscription A($kind: String) { taskEvents(kind: $kind) { kind } }',
    { kind: 'made' },
  )
  await members(door, 3)
  await listening(door, 2)
  door.world.emit({ kind: 'made' })
  await until('the other has it', () => other.results.length === 1)
})

test('no two tenants and no two authorities share, and nobody is impersonated', async () => {
  await using door = await startTestGateway()
  for (const key of ['tutti_viewer_a_1', 'tutti_viewer_b_1', 'tutti_viewer_c_2', 'tutti_admin_d_1'])
    collect(door, key)
  await members(door, 4)
  await listening(door, 3)
  expect(
    door.world.actors.map((actor) => [actor?.organizationId.at(-1), actor?.roles[0], actor?.name]),
  ).toEqual([
    ['1', 'viewer', 'subscription'],
    ['2', 'viewer', 'subscription'],
    ['1', 'admin', 'subscription'],
  ])
})

test('a personal subscription is its own', async () => {
  await using door = await startTestGateway()
  const query = 'subscription { myEvents { kind } }'
  const eva = collect(door, 'tutti_viewer_eva', query)
  const max = collect(door, 'tutti_viewer_max', query)
  await listening(door, 2)
  door.world.emit({ for: 'max', kind: 'for max' })
  door.world.emit({ for: 'eva', kind: 'for eva' })
  await until('both have theirs', () => eva.results.length === 1 && max.results.length === 1)
  expect(eva.results[0]?.data).toEqual({ myEvents: { kind: 'for eva' } })
  expect(max.results[0]?.data).toEqual({ myEvents: { kind: 'for max' } })
})

test('the last to leave closes the upstream without waiting for an event', async () => {
  await using door = await startTestGateway()
  const first = collect(door, 'tutti_viewer')
  const second = collect(door, 'tutti_viewer')
  await members(door, 2)
  await listening(door)
  first.stop()
  await members(door, 1)
  expect(door.world.listeners).toBe(1)
  second.client.sockets[0]?.terminate()
  await listening(door, 0)
  expect(door.gateway.counts()).toMatchObject({ streams: 0, members: 0 })
})

test('a stock client that is cut off goes on from its cursor: nothing missed, nothing twice', async () => {
  await using door = await startTestGateway()
  const client = door.socketClient('tutti_viewer', {
    retryAttempts: 100,
    retryWait: async () => {},
    shouldRetry: () => true,
  })
  const payload = { query: FEDERATED, variables: {} as { after?: string } }
  const cursors: string[] = []
  client.subscribe(payload, {
    next(result) {
      const cursor = String((result.extensions as { cursor?: unknown } | undefined)?.cursor)
      cursors.push(cursor)
      // graphql-ws sends this very object again when it reconnects.
      payload.variables.after = cursor
    },
    error() {},
    complete() {},
  })
  await listening(door)
  const sent: string[] = []
  for (let i = 0; i < 200; i++) {
    sent.push(door.world.emit().cursor)
    if (i % 20 === 10) client.sockets.at(-1)?.terminate()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await until('everything arrived', () => cursors.length >= sent.length)
  expect(cursors).toEqual(sent)
  expect(client.sockets.length).toBeGreaterThan(3)
})

test('a late joiner catches up alone, then shares', async () => {
  await using door = await startTestGateway()
  const live = collect(door, 'tutti_viewer_a')
  const history = Array.from({ length: 400 }, () => door.world.emit().cursor)
  await listening(door)
  const late = collect(door, 'tutti_viewer_b', FEDERATED, { after: history[9] })
  await until('it caught up', () => late.results.length === 390)
  const next = door.world.emit().cursor
  await until('both have the next', () => late.cursors.at(-1) === next && live.cursors.at(-1) === next)
  await until('they share', () => door.gateway.counts().streams === 1)
  const { executions } = door.gateway.counts()
  const last = door.world.emit().cursor
  await until('both have the last', () => late.cursors.at(-1) === last && live.cursors.at(-1) === last)
  expect(door.gateway.counts().executions).toBe(executions + 1)
  expect(late.cursors).toEqual([...history.slice(10), next, last])
  await listening(door, 1)
})

test('a crowd that comes back with the same cursor is fed by one upstream', async () => {
  await using door = await startTestGateway()
  const history = Array.from({ length: 10 }, () => door.world.emit().cursor)
  const all = Array.from({ length: 30 }, (_, index) =>
    collect(door, `tutti_viewer_p${index}`, FEDERATED, { after: history[4] }),
  )
  await until('all caught up', () => all.every((each) => each.results.length === 5))
  for (const each of all) expect(each.cursors).toEqual(history.slice(5))
  expect(door.gateway.counts()).toMatchObject({ upstreams: 1, executions: 5 })
})

test('a cursor written into the document resumes as well', async () => {
  await using door = await startTestGateway()
  const [first, second] = [door.world.emit(), door.world.emit()]
  const mine = collect(door, 'tutti_viewer', `subscription { taskEvents(after: "${first.cursor}") { kind } }`)
  await until('the second', () => mine.results.length === 1)
  expect(mine.cursors).toEqual([second.cursor])
})

test('an error inside an event reaches the client, and the next event is whole', async () => {
  await using door = await startTestGateway()
  const mine = collect(door, 'tutti_viewer')
  await listening(door)
  door.world.failing.add('5')
  door.world.emit({ taskId: '5' })
  door.world.emit({ taskId: '6' })
  await until('two results', () => mine.results.length === 2)
  expect(mine.results[0]).toMatchObject({
    data: { taskEvents: { task: { title: 'Task 5', quality: null } } },
    errors: [{ path: ['taskEvents', 'task'], extensions: { code: 'INTERNAL' } }],
  })
  expect(JSON.stringify(mine.results)).not.toContain('hunter2')
  expect(mine.results[1]?.errors).toBeUndefined()
})

test('an entity that is gone is null in the event', async () => {
  await using door = await startTestGateway()
  const mine = collect(door, 'tutti_viewer')
  await listening(door)
  door.world.absent.add('5')
  door.world.emit({ taskId: '5' })
  await until('one result', () => mine.results.length === 1)
  expect(mine.results[0]?.data).toMatchObject({ taskEvents: { task: { title: 'Task 5', quality: null } } })
  expect(mine.results[0]?.errors).toBeUndefined()
})

test('aliases, fragments and @include keep their meaning', async () => {
  await using door = await startTestGateway()
  const query = `subscription ($deep: Boolean!) { ...All }
    fragment All on Subscription { e: taskEvents { __typename at: kind t: task { ...Deep @include(if: $deep) id } } }
    fragment Deep on Task { who: agent { n: name } }`
  const deep = collect(door, 'tutti_viewer', query, { deep: true })
  const flat = collect(door, 'tutti_viewer', query, { deep: false })
  await listening(door, 2)
  door.world.emit({ taskId: '5' })
  await until('both', () => deep.results.length === 1 && flat.results.length === 1)
  expect(deep.results[0]?.data).toEqual({
    e: { __typename: 'TaskEvent', at: 'moved', t: { who: { n: 'Agent a5' }, id: '5' } },
  })
  expect(flat.results[0]?.data).toEqual({ e: { __typename: 'TaskEvent', at: 'moved', t: { id: '5' } } })
})
