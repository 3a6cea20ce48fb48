import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import {
  startTestGateway,
  type TestGateway,
  type TestResult,
  testToken,
} from '../../testing/start-test-gateway.ts'
import { until } from '../../testing/until.ts'

let door: TestGateway
beforeAll(async () => {
  door = await startTestGateway()
})
afterAll(async () => {
  await door[Symbol.asyncDispose]()
})

const EVENTS =
  'subscription ($after: String) { taskEvents(after: $after) { kind task { title agent { name } } } }'
const nested = (depth: number): string => (depth === 0 ? 'id' : `task(id: "1") { ${nested(depth - 1)} }`)

const TOO_MUCH: [what: string, query: string, code: string][] = [
  ['tokens', `{ task(id: "1") { ${'id '.repeat(4_000)} } }`, 'QUERY_TOO_LARGE'],
  [
    'aliases',
    `{ task(id: "1") { ${Array.from({ length: 61 }, (_, i) => `a${i}: id`).join(' ')} } }`,
    'QUERY_TOO_LARGE',
  ],
  ['root fields', `{ ${'task(id: "1") { id } '.repeat(21)} }`, 'QUERY_TOO_LARGE'],
  ['depth', `{ ${nested(15)} }`, 'QUERY_TOO_LARGE'],
  ['directives', `{ task(id: "1") { ${'id @include(if: true) '.repeat(51)} } }`, 'QUERY_TOO_LARGE'],
  ['fields by fragments', blowUp(), 'QUERY_TOO_LARGE'],
  ['a name of Object.prototype', '{ constructor: task(id: "1") { id } }', 'QUERY_TOO_LARGE'],
  ['no syntax', '{ task(', 'GRAPHQL_PARSE_FAILED'],
  ['an unknown field', '{ nothing }', 'GRAPHQL_VALIDATION_FAILED'],
]

describe.each(TOO_MUCH)('%s', (_what, query, code) => {
  test('is refused with 400 by HTTP', async () => {
    const { status, body } = await door.post(query, { key: 'tutti_viewer' })
    expect([status, body.errors?.[0]?.extensions?.['code']]).toEqual([400, code])
  })

  test('is refused by WebSocket', async () => {
    const client = door.socketClient('tutti_viewer')
    const iterator = client.iterate({ query })
    await expect(iterator.next()).rejects.toMatchObject([{ extensions: { code } }])
  })

  test('is refused by server-sent events', async () => {
    for await (const result of door.sseClient('tutti_viewer').iterate({ query })) {
      expect(result.errors).toMatchObject([{ extensions: { code } }])
    }
  })
})

test('a body that is too large or no JSON is refused with 400', async () => {
  const { status, body } = await door.post(`{ task(id: "1") { id } } #${'x'.repeat(600_000)}`, {
    key: 'tutti_viewer',
  })
  expect([status, body.errors?.[0]?.extensions?.['code']]).toEqual([400, 'QUERY_TOO_LARGE'])
  const headers = { 'content-type': 'application/json', authorization: 'Bearer tutti_viewer' }
  for (const text of ['{', '[]', '"x"', '{"query":"{ __typename }","variables":{"__proto__":{"a":1}}}']) {
    const response = await fetch(`${door.url}/graphql`, { method: 'POST', headers, body: text })
    expect(response.status).toBe(400)
  }
})

test('a large body is read for callers we know only, whether or not it says its length', async () => {
  const large = JSON.stringify({
    query: '{ task(id: "1") { id } }',
    variables: { ids: 'x'.repeat(1_000_000) },
  })
  const send = (body: string | ReadableStream, headers: Record<string, string> = {}) =>
    fetch(`${door.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
      ...(typeof body === 'string' ? {} : { duplex: 'half' }),
    })
  const chunked = () => new Blob([large]).stream()
  for (const body of [large, chunked()]) {
    const refused = await send(body)
    const text = await refused.text()
    expect([refused.status, JSON.parse(text).errors[0].extensions.code]).toEqual([400, 'QUERY_TOO_LARGE'])
    expect(text).not.toContain(' at ')
  }
  for (const body of [large, chunked()]) {
    const stranger = await send(body, { authorization: 'Bearer tutti_nobody' })
    expect([stranger.status, await stranger.text()]).toEqual([
      401,
      expect.stringContaining('UNAUTHENTICATED'),
    ])
  }
  for (const body of [large, chunked()]) {
    expect((await send(body, { authorization: 'Bearer tutti_viewer' })).status).toBe(200)
  }
})

test('several operations in one request are refused', async () => {
  const response = await fetch(`${door.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer tutti_viewer' },
    body: JSON.stringify([{ query: '{ __typename }' }, { query: '{ __typename }' }]),
  })
  expect(response.status).toBe(400)
})

test('what a foreign page could make a browser send is refused', async () => {
  const query = encodeURIComponent('{ task(id: "1") { id } }')
  const simple = await fetch(`${door.url}/graphql?query=${query}`, {
    headers: { authorization: 'Bearer tutti_viewer' },
  })
  expect(simple.status).toBe(400)
  const plain = await fetch(`${door.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain', authorization: 'Bearer tutti_viewer' },
    body: '{"query":"{ __typename }"}',
  })
  expect(plain.status).toBe(400)
})

test('a mutation by GET is refused', async () => {
  const query = encodeURIComponent('mutation { finishTask(id: "1") { id } }')
  const before = door.world.asked['tasks.mutation']
  const headers = { authorization: 'Bearer tutti_admin', 'apollo-require-preflight': '1' }
  expect((await fetch(`${door.url}/graphql?query=${query}`, { headers })).status).toBe(405)
  const stream = await fetch(`${door.url}/graphql/stream?query=${query}`, { headers })
  expect(await stream.text()).toContain('BAD_INPUT')
  expect(door.world.asked['tasks.mutation']).toBe(before)
})

test('in production the answer suggests no names', async () => {
  await using production = await startTestGateway({ production: true })
  const { text } = await production.post('{ task(id: "1") { titel } }', { key: 'tutti_viewer' })
  expect(text).not.toContain('Did you mean')
})

test('whatever is wrong with a credential, the answer is the same', async () => {
  const now = Math.floor(Date.now() / 1_000)
  const wrong = [
    'tutti_nobody',
    'nonsense',
    testToken({ sub: 'viewer', exp: now - 60 }),
    testToken({ sub: 'viewer', iss: 'https://elsewhere.test' }),
    testToken({ sub: 'viewer', aud: 'others' }),
    testToken({ sub: 'viewer' }, { secret: 'another secret of more than thirty-two bytes' }),
    testToken({ sub: 'viewer' }, { alg: 'none' }),
    testToken({ sub: 'nobody' }),
    testToken({}),
  ]
  const answers = new Set<string>()
  for (const key of wrong) {
    const { status, text } = await door.post('{ task(id: "1") { id } }', { key })
    answers.add(`${status} ${text}`)
  }
  expect(answers.size).toBe(1)
  expect([...answers][0]).toMatch(/^401 .*UNAUTHENTICATED/)
  expect((await door.post('{ task(id: "1") { id } }', { key: testToken({ sub: 'viewer' }) })).status).toBe(
    200,
  )
})

test('governance is asked once a second at most for one key', async () => {
  const before = door.identified
  for (let i = 0; i < 20; i++) await door.post('{ __typename }', { key: 'tutti_viewer_frequent' })
  expect(door.identified - before).toBeLessThanOrEqual(2)
})

test('server-sent events: a stock client gets events, each with its cursor', async () => {
  const results: TestResult[] = []
  const stop = door
    .sseClient('tutti_viewer')
    .subscribe(
      { query: EVENTS },
      { next: (result) => results.push(result as TestResult), error() {}, complete() {} },
    )
  await until('an upstream', () => door.world.listeners === 1)
  const event = door.world.emit({ taskId: '5' })
  await until('a result', () => results.length === 1)
  expect(results[0]).toEqual({
    data: { taskEvents: { kind: 'moved', task: { title: 'Task 5', agent: { name: 'Agent a5' } } } },
    extensions: { cursor: event.cursor },
  })
  stop()
  await until('no upstream', () => door.world.listeners === 0)
})

test('server-sent events: Last-Event-ID resumes', async () => {
  const [first, second] = [door.world.emit(), door.world.emit()]
  const response = await fetch(`${door.url}/graphql/stream?query=${encodeURIComponent(EVENTS)}`, {
    headers: { accept: 'text/event-stream', 'x-api-key': 'tutti_viewer', 'last-event-id': first.cursor },
  })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  await until('an event', async () => {
    text += (await reader?.read())?.value ?? ''
    return text.includes('event: next')
  })
  expect(text).toContain(`id: ${second.cursor}\n`)
  expect(text).not.toContain(`id: ${first.cursor}\n`)
  await reader?.cancel()
  await until('no upstream', () => door.world.listeners === 0)
})

test('server-sent events: a revoked key ends the stream', async () => {
  await using strict = await startTestGateway({ timings: { recheck: 50 } })
  const results: TestResult[] = []
  const done = Promise.withResolvers<void>()
  strict
    .sseClient('tutti_viewer_eva')
    .subscribe(
      { query: EVENTS },
      { next: (result) => results.push(result as TestResult), error: done.reject, complete: done.resolve },
    )
  await until('an upstream', () => strict.world.listeners === 1)
  strict.revoked.add('tutti_viewer_eva')
  await done.promise
  expect(results).toMatchObject([{ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] }])
  expect(strict.world.listeners).toBe(0)
})

function blowUp(): string {
  const fragments = Array.from(
    { length: 12 },
    (_, i) => `fragment F${i} on Task { ...F${i + 1} ...F${i + 1} }`,
  )
  return `{ task(id: "1") { ...F0 } } ${fragments.join(' ')} fragment F12 on Task { id title }`
}
