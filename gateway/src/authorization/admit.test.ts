import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { startTestGateway, type TestGateway, type TestResult } from '../../testing/start-test-gateway.ts'

let door: TestGateway
beforeAll(async () => {
  door = await startTestGateway()
})
afterAll(async () => {
  await door[Symbol.asyncDispose]()
})

const QUERY = '{ agent(id: "1") { name } }'
const SALARY = '{ agent(id: "1") { name salary } }'
const MUTATION = 'mutation { finishTask(id: "1") { id } }'
const EVENTS = 'subscription { taskEvents { kind } }'
const CONTROL = 'subscription { controlEvents { kind } }'

type Outcome = 'allowed' | 'UNAUTHENTICATED' | 'FORBIDDEN'

const TABLE: [operation: string, key: string | null, outcome: Outcome][] = [
  [QUERY, null, 'UNAUTHENTICATED'],
  [QUERY, 'tutti_nobody', 'UNAUTHENTICATED'],
  [QUERY, 'tutti_viewer', 'allowed'],
  [SALARY, 'tutti_viewer', 'FORBIDDEN'],
  [SALARY, 'tutti_admin', 'allowed'],
  [MUTATION, null, 'UNAUTHENTICATED'],
  [MUTATION, 'tutti_viewer', 'FORBIDDEN'],
  [MUTATION, 'tutti_operator', 'allowed'],
  [EVENTS, null, 'UNAUTHENTICATED'],
  [EVENTS, 'tutti_nobody', 'UNAUTHENTICATED'],
  [EVENTS, 'tutti_viewer', 'allowed'],
  [CONTROL, 'tutti_viewer', 'FORBIDDEN'],
  [CONTROL, 'tutti_admin', 'allowed'],
]

describe.each(TABLE)('%s with %s', (operation, key, outcome) => {
  const subscription = operation.startsWith('subscription')

  test(`is ${outcome} by server-sent events`, async () => {
    const response = await fetch(`${door.url}/graphql/stream`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        ...(key === null ? {} : { 'x-api-key': key }),
      },
      body: JSON.stringify({ query: operation }),
    })
    expect(await outcomeOfStream(response, subscription)).toBe(outcome)
  })

  test(`is ${outcome} by WebSocket`, async () => {
    expect(await outcomeBySocket(operation, key, subscription)).toBe(outcome)
  })
})

describe.each(TABLE.filter(([operation]) => !operation.startsWith('subscription')))(
  '%s with %s',
  (operation, key, outcome) => {
    test(`is ${outcome} by HTTP`, async () => {
      const { body } = await door.post(operation, key === null ? {} : { key })
      expect(outcomeOf(body)).toBe(outcome)
    })
  },
)

test('nothing runs of an operation that is refused in part', async () => {
  const before = door.world.asked['tasks.mutation']
  const { body } = await door.post('mutation { finishTask(id: "1") { id agent { salary } } }', {
    key: 'tutti_viewer',
  })
  expect(body.errors).toHaveLength(2)
  expect(body.data).toBeUndefined()
  expect(door.world.asked['tasks.mutation']).toBe(before)
})

test('each refused field is named by its path and the scopes it needs', async () => {
  const { status, body } = await door.post(
    '{ a: agent(id: "1") { pay: salary } task(id: "1") { agent { salary } } }',
    {
      key: 'tutti_viewer',
    },
  )
  expect(status).toBe(403)
  expect(body.errors?.map((error) => [error.path, error.extensions?.['requiredScopes']])).toEqual([
    [['a', 'pay'], [['agents:write']]],
    [['task', 'agent', 'salary'], [['agents:write']]],
  ])
})

test('a field behind a fragment or a skipped one is refused as well', async () => {
  const query =
    'query ($no: Boolean = false) { agent(id: "1") { ...Pay @include(if: $no) } } fragment Pay on Agent { salary }'
  expect(outcomeOf((await door.post(query, { key: 'tutti_viewer' })).body)).toBe('FORBIDDEN')
})

test('a field of an interface needs what each implementation needs', async () => {
  expect(outcomeOf((await door.post('{ work { title } }', { key: 'tutti_viewer' })).body)).toBe('FORBIDDEN')
  expect(
    outcomeOf((await door.post('{ work { ... on Task { title } } }', { key: 'tutti_viewer' })).body),
  ).toBe('allowed')
  expect(
    outcomeOf((await door.post('{ work { ... on Chore { title } } }', { key: 'tutti_viewer' })).body),
  ).toBe('FORBIDDEN')
})

test('a policy nobody decides is refused, even for an administrator', async () => {
  expect(outcomeOf((await door.post('{ secret }', { key: 'tutti_admin' })).body)).toBe('FORBIDDEN')
})

test('a policy is decided for the caller', async () => {
  await using decided = await startTestGateway({
    policies: async (policy, actor) => policy === 'never' && actor.id === 'eva',
  })
  expect((await decided.post('{ secret }', { key: 'tutti_viewer_eva' })).body).toEqual({
    data: { secret: 'secret' },
  })
  expect(outcomeOf((await decided.post('{ secret }', { key: 'tutti_viewer_max' })).body)).toBe('FORBIDDEN')
})

test('in production nobody introspects without a credential', async () => {
  await using production = await startTestGateway({ production: true })
  const query = '{ __schema { queryType { name } } }'
  expect(outcomeOf((await production.post(query)).body)).toBe('UNAUTHENTICATED')
  expect(outcomeOf((await production.post(query, { key: 'tutti_viewer' })).body)).toBe('allowed')
  expect(outcomeOf((await door.post(query)).body)).toBe('allowed')
})

function outcomeOf(result: TestResult): Outcome {
  const code = result.errors?.[0]?.extensions?.['code']
  if (code === undefined) return 'allowed'
  expect(result.data ?? null).toBeNull()
  return code === 'FORBIDDEN'
    ? 'FORBIDDEN'
    : code === 'UNAUTHENTICATED'
      ? 'UNAUTHENTICATED'
      : unexpected(code)
}

async function outcomeOfStream(response: Response, subscription: boolean): Promise<Outcome> {
  if (response.status === 401) return outcomeOf((await response.json()) as TestResult)
  const reader = response.body?.getReader()
  if (reader === undefined) throw new Error('no stream')
  const decoder = new TextDecoder()
  let text = ''
  while (true) {
    const emitting = subscription ? setInterval(() => door.world.emit(), 20) : undefined
    const { value, done } = await reader.read()
    clearInterval(emitting)
    text += decoder.decode(value, { stream: true })
    const data = /event: next\n(?:id: .*\n)?data: (.*)\n\n/.exec(text)?.[1]
    if (data !== undefined) {
      await reader.cancel()
      return outcomeOf(JSON.parse(data) as TestResult)
    }
    if (done) throw new Error(`the stream ended with ${text}`)
  }
}

async function outcomeBySocket(
  operation: string,
  key: string | null,
  subscription: boolean,
): Promise<Outcome> {
  const client = door.socketClient(key)
  const emitting = subscription ? setInterval(() => door.world.emit(), 20) : undefined
  try {
    for await (const result of client.iterate({ query: operation })) return outcomeOf(result as TestResult)
    return unexpected('nothing')
  } catch (error) {
    if (Array.isArray(error)) return outcomeOf({ errors: error })
    if (typeof error !== 'object' || error === null || !('code' in error)) throw error
    expect(error.code).toBe(key === null ? 4401 : 4403)
    return 'UNAUTHENTICATED'
  } finally {
    clearInterval(emitting)
  }
}

function unexpected(what: unknown): never {
  throw new Error(`Unexpected: ${String(what)}`)
}
