import type { Actor } from '@tutti/schema'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { receiveWebhook } from './receive-webhook.ts'
import type { WebhookCall } from './webhook-answer.ts'
import { startDueFirings } from './start-due-firings.ts'
import { openTriggerWorld, type TriggerWorld } from './testing/trigger-world.ts'
import { newPath, newSigningSecret } from './webhook-secret.ts'

let world: TriggerWorld
let actor: Actor
let workflowId: string

beforeAll(async () => {
  world = await openTriggerWorld()
  actor = await world.organization()
  workflowId = await world.workflow(actor)
})
afterAll(() => world[Symbol.asyncDispose]())

interface Hook {
  id: string
  path: string
  secret: string
}

async function hook(input: Record<string, unknown> = {}): Promise<Hook> {
  const { id, webhook } = await world.trigger(actor, { workflowId, kind: 'WEBHOOK', ...input })
  return { id, path: (webhook?.path ?? '').slice('/hooks/'.length), secret: webhook?.signingSecret ?? '' }
}

const call = (path: string, body: string, headers: Partial<WebhookCall> = {}): WebhookCall => ({
  path,
  contentType: 'application/json',
  webhookId: null,
  timestamp: null,
  signature: null,
  body,
  ...headers,
})

/** A call as a sender of the specification makes it, `ago` seconds ago. */
function signed(
  { path, secret }: Hook,
  body: string,
  { id = crypto.randomUUID() as string, ago = 0 } = {},
): WebhookCall {
  const sent = new Date(Date.now() - ago * 1_000)
  return call(path, body, {
    webhookId: id,
    timestamp: String(Math.floor(sent.getTime() / 1_000)),
    signature: new Webhook(secret).sign(id, sent, body),
  })
}

const receive = (each: WebhookCall) => receiveWebhook(world.services, each)
const runsOf = async ({ id }: Hook) => (await world.runs(actor)).filter(({ triggerId }) => triggerId === id)

describe('a signed call', () => {
  test('starts a run with its payload', async () => {
    const to = await hook()
    const answer = await receive(signed(to, '{"order": 7}'))
    const [run] = await runsOf(to)
    expect(answer).toEqual({ status: 202, body: { runId: run?.id } })
    expect(run).toMatchObject({ input: { order: 7 }, startedBy: { id: `trigger:${to.id}`, kind: 'system' } })
    expect((await world.events(actor, 'trigger.fired')).at(-1)?.data).toMatchObject({ runId: run?.id })
  })

  test('again is a replay, or the sender trying again when its timestamp is newer', async () => {
    const to = await hook()
    const first = signed(to, '{"a": 1}', { id: 'msg_1', ago: 60 })
    const { body } = await receive(first)
    expect(await receive(first)).toMatchObject({ status: 409, body: { code: 'CONFLICT' } })
    const retry = signed(to, '{"a": 1}', { id: 'msg_1', ago: 30 })
    expect(await receive(retry)).toEqual({ status: 202, body })
    expect(await receive(retry)).toMatchObject({ status: 409 })
    // Another body under the same id is none of the sender's retries.
    expect(await receive(signed(to, '{"a": 2}', { id: 'msg_1' }))).toMatchObject({ status: 409 })
    expect(await runsOf(to)).toHaveLength(1)
  })

  test('at once from many sides starts one run', async () => {
    const to = await hook()
    const same = signed(to, '{}', { id: 'msg_2' })
    const answers = await Promise.all(Array.from({ length: 8 }, () => receive(same)))
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(7)
    expect(await runsOf(to)).toHaveLength(1)
  })

  test.each([
    ['six minutes old', { ago: 360 }],
    ['of six minutes ahead', { ago: -360 }],
  ])('%s is refused', async (_, options) => {
    const to = await hook()
    expect(await receive(signed(to, '{}', options))).toMatchObject({ status: 404 })
    expect(await world.firings(actor, to.id)).toEqual([])
  })
})

test('what is wrong with a call is not told: path, secret, signature, body and headers answer alike', async () => {
  const to = await hook()
  const good = signed(to, '{"a": 1}')
  const answers = await Promise.all(
    [
      { ...good, path: newPath() },
      { ...good, path: 'x' },
      { ...good, path: '' },
      signed({ ...to, secret: newSigningSecret() }, '{"a": 1}'),
      { ...good, signature: 'v1,AAAA' },
      { ...good, signature: null },
      { ...good, webhookId: 'another' },
      { ...good, webhookId: null },
      { ...good, timestamp: null },
      { ...good, timestamp: 'yesterday' },
      { ...good, body: '{"a": 2}' },
      { ...good, body: null },
      { ...good, body: 'no JSON', contentType: 'image/png' },
    ].map(receive),
  )
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
  expect(answers[0]).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } })
  expect(await world.firings(actor, to.id)).toEqual([])
  expect(await receive(good)).toMatchObject({ status: 202 })
})

describe('a hook whose path is its key', () => {
  test('takes JSON and text, of 1 MB too, and refuses what is neither', async () => {
    const to = await hook({ signed: false, expressions: { got: 'payload' } })
    expect(to.secret).toBe('')
    for (const [body, contentType] of [
      ['[1, 2]', 'application/json; charset=utf-8'],
      ['{"a": 1}', 'application/cloudevents+json'],
      ['hello', 'text/plain'],
      [JSON.stringify('x'.repeat(1_000_000)), null],
      ['', 'application/json'],
    ] as const) {
      expect(await receive(call(to.path, body, { contentType })), body.slice(0, 20)).toMatchObject({
        status: 202,
      })
    }
    expect((await runsOf(to)).map(({ input }) => JSON.stringify(input).slice(0, 30))).toEqual([
      '{"got":[1,2]}',
      '{"got":{"a":1}}',
      '{"got":"hello"}',
      '{"got":"xxxxxxxxxxxxxxxxxxxxxx',
      '{"got":null}',
    ])
    const refused = [
      [call(to.path, '{"a":'), 400],
      [call(to.path, 'a', { contentType: 'application/xml' }), 415],
      [call(to.path, '{"a":"\\u0000"}'), 400],
      [call(to.path, '['.repeat(100_000) + ']'.repeat(100_000)), 400],
      [{ ...call(to.path, ''), body: null }, 400],
      [call(to.path, '{}', { webhookId: 'x'.repeat(201) }), 400],
    ] as const
    for (const [each, status] of refused) expect(await receive(each)).toMatchObject({ status })
  })

  test('starts one run for a webhook-id', async () => {
    const to = await hook({ signed: false })
    const same = call(to.path, '{}', { webhookId: 'm' })
    expect(await receive(same)).toMatchObject({ status: 202 })
    expect(await receive(same)).toMatchObject({ status: 409 })
    expect(await receive(call(to.path, '{}'))).toMatchObject({ status: 202 })
    expect(await receive(call(to.path, '{}'))).toMatchObject({ status: 202 })
    expect(await runsOf(to)).toHaveLength(3)
  })

  test('keeps names of a payload that objects have of their own', async () => {
    const to = await hook({ signed: false })
    await receive(call(to.path, '{"__proto__": {"polluted": true}, "constructor": 1}'))
    const [run] = await runsOf(to)
    expect(Object.keys(Object(run?.input)).sort()).toEqual(['__proto__', 'constructor'])
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
  })
})

test('of the calls with one key only the first starts a run, and all are told it', async () => {
  const to = await hook({ idempotencyKey: 'payload.order' })
  const answers = []
  for (const order of ['a', 'a', 'b', null, null])
    answers.push(await receive(signed(to, JSON.stringify({ order }))))
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202])
  const [first, second, third] = answers.map(({ body }) => body['runId'])
  expect(first).toBe(second)
  expect(third).not.toBe(first)
  // Without a value each call is one of its own.
  expect(await runsOf(to)).toHaveLength(4)
})

test('a run that cannot be started is told with the reason, and noted', async () => {
  const to = await hook({ expressions: { total: 'payload.items.size()' } })
  expect(await receive(signed(to, '{}'))).toMatchObject({
    status: 422,
    body: { code: 'TRIGGER_INPUT_FAILED', message: expect.stringContaining('expressions.total') },
  })
  const [firing] = await world.firings(actor, to.id)
  expect(firing).toMatchObject({ status: 'failed', error: { code: 'TRIGGER_INPUT_FAILED' } })
  expect((await world.events(actor, 'trigger.failed')).at(-1)?.data).toMatchObject({ firingId: firing?.id })
})

test('paused it says so to who may call; with a new secret the old ones are void', async () => {
  const to = await hook()
  const change = (name: string, input: object) =>
    world.ask(
      actor,
      `mutation($input: ${name[0]?.toUpperCase()}${name.slice(1)}Input!) {
        ${name}(input: $input) { trigger { id } ${name === 'updateTrigger' ? 'webhook { path signingSecret }' : ''} }
      }`,
      { input: { id: to.id, ...input } },
    )
  await change('pauseTrigger', {})
  expect(await receive(signed(to, '{}'))).toMatchObject({ status: 409, body: { code: 'INVALID_STATE' } })
  expect(await receive({ ...signed(to, '{}'), signature: 'v1,AAAA' })).toMatchObject({ status: 404 })
  await change('resumeTrigger', {})
  expect(await receive(signed(to, '{}'))).toMatchObject({ status: 202 })

  const { data } = await change('updateTrigger', { newSecret: true })
  const { webhook } = Object(data['updateTrigger'])
  expect(await receive(signed(to, '{}'))).toMatchObject({ status: 404 })
  const renewed = { ...to, path: webhook.path.slice('/hooks/'.length), secret: webhook.signingSecret }
  expect(await receive(signed(renewed, '{}'))).toMatchObject({ status: 202 })

  const theirs = newSigningSecret()
  expect((await change('updateTrigger', { signingSecret: theirs })).code).toBeNull()
  expect(await receive(signed(renewed, '{}'))).toMatchObject({ status: 404 })
  expect(await receive(signed({ ...renewed, secret: theirs }, '{}'))).toMatchObject({ status: 202 })
})

test.each([
  ['its firing was noted', 1],
  ['its run was started', 2],
])(
  'a call whose process dies when %s is carried on by the scheduler, to one run',
  async (_, transactions) => {
    const to = await hook()
    const same = signed(to, '{}', { id: 'msg_3' })
    // The first counts the call.
    let left = 1 + transactions
    const database = Object.create(world.database, {
      transact: {
        value: async (...given: Parameters<typeof world.database.transact>) => {
          left -= 1
          if (left < 0) throw new Error('the process is gone')
          return world.database.transact(...given)
        },
      },
    })
    await expect(receiveWebhook({ ...world.services, database }, same)).rejects.toThrow('gone')
    expect(await world.firings(actor, to.id)).toMatchObject([{ status: 'pending', runId: null }])
    expect(await runsOf(to)).toHaveLength(transactions - 1)
    await startDueFirings(world.services, new Date(Date.now() + 20_000))
    const [run, ...others] = await runsOf(to)
    expect(others).toEqual([])
    expect(await world.firings(actor, to.id)).toMatchObject([{ status: 'started', runId: run?.id }])
    const again = signed(to, '{}', { id: 'msg_3', ago: -1 })
    expect(await receive(again)).toEqual({ status: 202, body: { runId: run?.id } })
  },
)

describe('calls in a minute', () => {
  const change = (id: string, input: object) =>
    world.ask(
      actor,
      'mutation($input: UpdateTriggerInput!) { updateTrigger(input: $input) { trigger { maxPerMinute } } }',
      { input: { id, ...input } },
    )
  /** As if so many seconds had passed since the last call. */
  const later = (id: string, seconds: number) =>
    world.services.database.transact(actor, (client) =>
      client.query(`update trigger set refilled_at = refilled_at - $2 * interval '1 second' where id = $1`, [
        id,
        seconds,
      ]),
    )

  test('are as many at once as its trigger says, then evenly; more are told when to come again', async () => {
    const to = await hook({ maxPerMinute: 3 })
    const answers = []
    for (let each = 0; each < 5; each += 1) answers.push(await receive(signed(to, '{}')))
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 429, 429])
    expect(answers[4]).toMatchObject({ body: { code: 'RATE_LIMITED' } })
    expect(answers[4]?.retryAfter).toBeGreaterThan(0)
    expect(answers[4]?.retryAfter).toBeLessThanOrEqual(20)
    expect(await runsOf(to)).toHaveLength(3)
    // A third of a minute is one call.
    await later(to.id, 21)
    expect((await receive(signed(to, '{}'))).status).toBe(202)
    expect((await receive(signed(to, '{}'))).status).toBe(429)
  })

  test('are counted once, from however many sides they come', async () => {
    const to = await hook({ maxPerMinute: 2 })
    const answers = await Promise.all(Array.from({ length: 8 }, () => receive(signed(to, '{}'))))
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(2)
  })

  test('count only who may call; another number begins anew, and without one it is the platform’s', async () => {
    const to = await hook({ maxPerMinute: 1 })
    for (let each = 0; each < 3; each += 1)
      expect(await receive({ ...signed(to, '{}'), signature: 'v1,AAAA' })).toMatchObject({ status: 404 })
    expect((await receive(signed(to, '{}'))).status).toBe(202)
    expect((await receive(signed(to, '{}'))).status).toBe(429)
    const { data } = await change(to.id, { maxPerMinute: null })
    expect(data).toMatchObject({ updateTrigger: { trigger: { maxPerMinute: 600 } } })
    expect((await receive(signed(to, '{}'))).status).toBe(202)
  })

  test('are bounded by what may be set, and belong to webhooks', async () => {
    const to = await hook()
    const { code, extensions } = await change(to.id, { maxPerMinute: 0 })
    expect([code, extensions.argument]).toEqual(['BAD_INPUT', 'input.maxPerMinute'])
    const schedule = await world.ask(
      actor,
      `mutation($w: ID!) {
        createTrigger(input: { workflowId: $w, name: "s", kind: SCHEDULE, cron: "@daily", maxPerMinute: 1 }) { trigger { id } }
      }`,
      { w: workflowId },
    )
    expect(schedule.extensions.argument).toBe('input.maxPerMinute')
  })
})
