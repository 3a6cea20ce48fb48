import { createHmac } from 'node:crypto'
import { deleteOldDeliveries } from '@tutti/agents/domain'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type OutsideMcpServer, startMcpServer } from '../agents-outside/mcp-server.ts'
import { type HttpAgent, startHttpAgent } from '../flows/http-agent.ts'
import { applyWorkflow, registerAgent } from '../flows/operations.ts'
import { codesOf } from '../world/caller.ts'
import type { Organization } from '../world/organization.ts'
import { startWorld, type World } from '../world/start-world.ts'

const PATIENCE = { timeout: 20_000, interval: 50 }
const SECRET = 'app-secret-of-the-source'
const TOKEN = 'verify-token-of-ours'

const cleanup = new AsyncDisposableStack()
let world: World
let org: Organization
let server: OutsideMcpServer
let agent: HttpAgent

beforeAll(async () => {
  agent = cleanup.use(await startHttpAgent(() => ({ output: { sent: true } })))
  server = cleanup.use(
    await startMcpServer([
      { name: 'post', description: 'Posts.', run: async ({ text }) => `Posted ${String(text)}` },
    ]),
  )
  world = cleanup.use(await startWorld({ workers: true }))
})
afterAll(() => cleanup.disposeAsync())
beforeEach(async () => {
  org = await world.organization()
  for (const [name, value] of [
    ['source/secret', SECRET],
    ['source/token', TOKEN],
  ])
    await org
      .as('admin')
      .query('mutation($input: SetCredentialInput!) { setCredential(input: $input) { credential { id } } }', {
        input: { name, value },
      })
})

const SET = `mutation($input: SetConnectorInput!) { setConnector(input: $input) {
  path connector { id name category outbound scheme credential verifyCredential maxPerMinute } } }`

interface SetAnswer {
  setConnector: { path: string | null; connector: { id: string; category: string; scheme: string | null } }
}

const set = async (input: object, of = org) =>
  (await of.as('operator').query<SetAnswer>(SET, { input })).setConnector
const inbound = { credential: 'source/secret', verifyCredential: 'source/token' }

/** A connector that calls us; answers with its path. */
async function listen(name: string, input: object = { inbound }): Promise<string> {
  const { path } = await set({ name, ...input })
  return path ?? expect.unreachable()
}

const signed = (body: string, secret = SECRET) => ({
  'content-type': 'application/json',
  'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
})

async function post(path: string, body: string, headers: Record<string, string> = signed(body)) {
  const response = await fetch(`${world.url}${path}`, { method: 'POST', headers, body })
  return { status: response.status, body: JSON.parse(await response.text()) }
}

const received = (of: Organization) =>
  world.asOwner<{ data: { type: string; data: unknown; subject: string | null } }>(
    `select data from log.event where organization_id = $1 and type = 'integration.event' order by seq`,
    [of.id],
  )
const runsOf = async (of: Organization) => {
  const { runs } = await of
    .as('viewer')
    .query<{ runs: { nodes: { status: string; state: { result?: unknown } }[] } }>(
      '{ runs(first: 50) { nodes { status state } } }',
    )
  return runs.nodes
}
const triggersOf = async (of: Organization) => {
  const { triggers } = await of.as('viewer').query<{
    triggers: { nodes: { kind: string; cron: string | null; eventType: string | null; status: string }[] }
  }>('{ triggers(first: 50) { nodes { kind cron eventType status } } }')
  return triggers.nodes.map(({ kind, cron, eventType }) => `${kind} ${cron ?? eventType}`).toSorted()
}

const document = (name: string, triggers: object[], executor: object = { type: 'http', url: agent.url }) =>
  JSON.stringify({ metadata: { name, type: 'social.test', version: '1.0.0' }, triggers, executor })

const UNBOUND = 'withoutBinding { path name hint }'
interface Unbound {
  withoutBinding: { path: string; name: string; hint: string }[]
}

test('a message of Instagram starts the agent that waits for it, once, however often it is delivered', async () => {
  const path = await listen('instagram')
  await registerAgent(org.as('operator'), document('greeter', [{ type: 'webhook', source: 'instagram' }]))
  await expect.poll(() => triggersOf(org), PATIENCE).toEqual(['EVENT connector.instagram.received'])
  const before = agent.calls.length
  const body = JSON.stringify({ object: 'instagram', entry: [{ id: '1', time: 2 }] })
  const first = await post(path, body)
  expect(first).toEqual({ status: 200, body: { deliveryId: expect.any(String), created: true } })
  const repeats = await Promise.all([post(path, body), post(path, body)])
  expect(repeats.map(({ status, body: answer }) => [status, answer.created])).toEqual([
    [200, false],
    [200, false],
  ])
  await expect
    .poll(async () => (await runsOf(org)).map(({ status, state }) => [status, state.result]), PATIENCE)
    .toEqual([['COMPLETED', { sent: true }]])
  expect(await received(org)).toHaveLength(1)
  expect(agent.calls).toHaveLength(before + 1)
  expect(agent.calls.at(-1)?.json.input).toMatchObject({
    trigger: { type: 'connector.instagram.received', source: 'connector:instagram', data: JSON.parse(body) },
  })
})

test('Meta’s challenge is answered by the token alone, and others’ questions by nothing', async () => {
  const path = await listen('whatsapp')
  const ask = async (at: string, token: string, mode = 'subscribe') => {
    const query = new URLSearchParams({
      'hub.mode': mode,
      'hub.challenge': '1158201444',
      'hub.verify_token': token,
    })
    const response = await fetch(`${world.url}${at}?${query}`)
    return [response.status, await response.text()]
  }
  expect(await ask(path, TOKEN)).toEqual([200, '1158201444'])
  const github = await listen('github', { inbound: { credential: 'source/secret' } })
  const answers = [
    await ask(path, 'another'),
    await ask(path, ''),
    await ask(path, TOKEN, 'unsubscribe'),
    await ask(github, TOKEN),
    await ask('/connectors/nowhere', TOKEN),
  ]
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
  expect(answers[0]?.[0]).toBe(404)
})

test('Slack’s challenge is answered when it is signed, and is no event', async () => {
  const path = await listen('slack', { inbound: { credential: 'source/secret' } })
  const body = JSON.stringify({ type: 'url_verification', challenge: 'abc' })
  const at = Math.floor(Date.now() / 1_000)
  const sign = (text: string, time = at) => ({
    'content-type': 'application/json',
    'x-slack-request-timestamp': String(time),
    'x-slack-signature': `v0=${createHmac('sha256', SECRET).update(`v0:${time}:${text}`).digest('hex')}`,
  })
  expect(await post(path, body, sign(body))).toEqual({ status: 200, body: { challenge: 'abc' } })
  expect((await post(path, body, sign(body, at - 3_600))).status).toBe(404)
  expect((await post(path, body, {})).status).toBe(404)
  expect(await received(org)).toEqual([])
  const form = new URLSearchParams({ command: '/ask', text: 'hello' }).toString()
  const sent = { ...sign(form), 'content-type': 'application/x-www-form-urlencoded' }
  expect(await post(path, form, sent)).toMatchObject({ body: { created: true } })
  expect((await received(org))[0]?.data.data).toEqual({ command: '/ask', text: 'hello' })
})

test('unknown path, wrong signature, changed body and a secret that is gone answer alike', async () => {
  const path = await listen('github', { inbound: { credential: 'source/secret' } })
  const body = '{"action":"opened"}'
  const wrong = [
    await post('/connectors/nowhere', body),
    await post(path, body, signed(body, 'another')),
    await post(path, `${body} `, signed(body)),
    await post(path, body, {}),
  ]
  expect(
    await post(path, body, { ...signed(body), 'x-github-delivery': 'a', 'x-github-event': 'issues' }),
  ).toEqual({ status: 200, body: { deliveryId: 'a', created: true } })
  // The delivery's id is not signed: beside the same body another one is a replay.
  expect(await post(path, body, { ...signed(body), 'x-github-delivery': 'b' })).toMatchObject({
    body: { created: false },
  })
  expect((await received(org)).map(({ data }) => [data.type, data.subject])).toEqual([
    ['connector.github.received', 'issues'],
  ])
  const { credentials } = await org
    .as('admin')
    .query<{ credentials: { nodes: { id: string; name: string }[] } }>(
      '{ credentials { nodes { id name } } }',
    )
  const id = credentials.nodes.find(({ name }) => name === 'source/secret')?.id
  await org
    .as('admin')
    .query('mutation($input: DeleteCredentialInput!) { deleteCredential(input: $input) { id } }', {
      input: { id },
    })
  wrong.push(await post(path, '{"action":"closed"}'))
  expect(new Set(wrong.map((answer) => JSON.stringify(answer))).size).toBe(1)
  expect(wrong[0]?.status).toBe(404)
})

test('what is genuine and no JSON, or cannot be kept, is refused as that', async () => {
  const path = await listen('facebook')
  expect((await post(path, 'hello')).status).toBe(400)
  expect((await post(path, '{"a":"\\u0000"}')).status).toBe(400)
  expect((await post(path, `"${'x'.repeat(2 * 1024 * 1024)}"`)).status).toBe(413)
  expect(await received(org)).toEqual([])
})

test('what is genuine and comes more often than is taken is told when to come again, however many come at once', async () => {
  const path = await listen('instagram', { inbound: { ...inbound, maxPerMinute: 2 } })
  const wrong = await post(path, '{}', signed('{}', 'another secret'))
  expect(wrong.status).toBe(404)
  const call = async (number: number) => {
    const body = JSON.stringify({ number })
    const response = await fetch(`${world.url}${path}`, { method: 'POST', headers: signed(body), body })
    return {
      status: response.status,
      retryAfter: response.headers.get('retry-after'),
      body: await response.json(),
    }
  }
  // Those that are taken spend the bucket for half a minute each, whatever the machine does meanwhile.
  const answers = await Promise.all([1, 2, 3, 4, 5, 6].map(call))
  const refused = answers.filter(({ status }) => status === 429)
  expect(answers.filter(({ status }) => status === 200).length + refused.length).toBe(6)
  expect(refused.length).toBeGreaterThan(0)
  for (const { retryAfter, body } of refused) {
    expect(Number(retryAfter)).toBeGreaterThan(0)
    expect(Number(retryAfter)).toBeLessThanOrEqual(30)
    expect(body).toMatchObject({ code: 'RATE_LIMITED' })
  }
  expect(await received(org)).toHaveLength(6 - refused.length)
  // Another number begins anew.
  const { connector } = await set({ name: 'instagram', inbound: { ...inbound, maxPerMinute: 100_000 } })
  expect(connector).toMatchObject({ maxPerMinute: 100_000 })
  expect((await call(7)).status).toBe(200)
  expect((await set({ name: 'instagram', inbound })).connector).toMatchObject({ maxPerMinute: 600 })
  const refusal = await org
    .as('operator')
    .send(SET, { input: { name: 'instagram', inbound: { ...inbound, maxPerMinute: 0 } } })
  expect(refusal.body.errors?.[0]?.extensions).toMatchObject({
    code: 'BAD_INPUT',
    argument: 'input.inbound.maxPerMinute',
  })
})

test('an agent calls its connector over HTTP with the credential, in the way that it is bound to at that moment', async () => {
  await registerAgent(
    org.as('operator'),
    document('sender', [], { type: 'connector', connector: 'whatsapp' }),
  )
  const workflowId = await applyWorkflow(org.as('operator'), {
    name: 'send',
    inputs: ['text'],
    steps: [{ name: 'work', agent: 'sender', input: ['text'], output: 'result' }],
  })
  const run = async () => {
    const { startRun } = await org
      .as('operator')
      .query<{ startRun: { run: { id: string } } }>(
        'mutation($input: StartRunInput!) { startRun(input: $input) { run { id } } }',
        { input: { workflowId, input: { text: 'hi' } } },
      )
    const read = async () =>
      (
        await org.as('viewer').query<{
          run: {
            status: string
            state: object
            tasks: { attempt: number; error: { code: string } | null }[]
          }
        }>('query($id: ID!) { run(id: $id) { status state tasks { attempt error { code } } } }', {
          id: startRun.run.id,
        })
      ).run
    await expect.poll(async () => (await read()).status, PATIENCE).toMatch(/COMPLETED|FAILED/)
    return read()
  }
  expect(await run()).toMatchObject({
    status: 'FAILED',
    tasks: [{ attempt: 1, error: { code: 'CONNECTOR_UNBOUND' } }],
  })
  const authorization = { credential: 'source/secret' }
  const { connector } = await set({ name: 'whatsapp', http: { url: agent.url, authorization } })
  expect(await run()).toMatchObject({ status: 'COMPLETED', state: { result: { sent: true } } })
  expect(agent.calls.at(-1)).toMatchObject({
    headers: { authorization: `Bearer ${SECRET}` },
    json: { input: { text: 'hi' } },
  })
  await set({ name: 'whatsapp', mcp: { url: server.url, tool: 'post', authorization } })
  expect(await run()).toMatchObject({ status: 'COMPLETED', state: { result: 'Posted hi' } })
  expect(server.requests.findLast((each) => each.has('authorization'))?.get('authorization')).toBe(
    `Bearer ${SECRET}`,
  )
  await set({ name: 'whatsapp', mcp: { url: server.url } })
  expect(await run()).toMatchObject({ status: 'FAILED', tasks: [{ error: { code: 'CONNECTOR_UNBOUND' } }] })
  await org
    .as('operator')
    .query(
      'mutation($input: RemoveConnectorInput!) { removeConnector(input: $input) { connector { name } } }',
      {
        input: { id: connector.id },
      },
    )
  expect(await run()).toMatchObject({ status: 'FAILED', tasks: [{ error: { code: 'CONNECTOR_UNBOUND' } }] })
})

test('an agent’s triggers are what its document says, gone when it says otherwise or leaves, and there again when it is back', async () => {
  const register = (triggers: object[]) => registerAgent(org.as('operator'), document('keeper', triggers))
  const schedule = { type: 'schedule', expression: '0 9 * * *' }
  const event = { type: 'event', event_type: 'incoming_customer_message' }
  const id = await register([schedule, event, event, { type: 'webhook', source: 'Not A Connector' }])
  await expect
    .poll(() => triggersOf(org), PATIENCE)
    .toEqual(['EVENT incoming_customer_message', 'SCHEDULE 0 9 * * *'])
  await register([schedule, { type: 'schedule', expression: '30 9 * * 1' }])
  await expect.poll(() => triggersOf(org), PATIENCE).toEqual(['SCHEDULE 0 9 * * *', 'SCHEDULE 30 9 * * 1'])
  const change = (name: string, input: object) =>
    org
      .as('operator')
      .query(
        `mutation($input: ${name[0]?.toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { agent { id } } }`,
        {
          input,
        },
      )
  await change('updateAgent', { agentId: id, document: document('keeper', [event]) })
  await expect.poll(() => triggersOf(org), PATIENCE).toEqual(['EVENT incoming_customer_message'])
  await change('serveAgentVersion', { agentId: id, number: 2 })
  await expect.poll(() => triggersOf(org), PATIENCE).toEqual(['SCHEDULE 0 9 * * *', 'SCHEDULE 30 9 * * 1'])
  await change('serveAgentVersion', { agentId: id, number: 3 })
  await expect.poll(() => triggersOf(org), PATIENCE).toEqual(['EVENT incoming_customer_message'])
  await org
    .as('operator')
    .query('mutation($input: PublishEventInput!) { publishEvent(input: $input) { created } }', {
      input: { type: 'incoming_customer_message', source: 'shop', id: '1', data: { text: 'hello' } },
    })
  await expect
    .poll(async () => (await runsOf(org)).map(({ status }) => status), PATIENCE)
    .toEqual(['COMPLETED'])
  await change('retireAgent', { id, timeoutSeconds: 0 })
  await expect.poll(() => triggersOf(org), PATIENCE).toEqual([])
  const status = async () => {
    const query = 'query($id: ID!) { agent(id: $id) { status } }'
    return (await org.as('operator').query<{ agent: { status: string } }>(query, { id })).agent.status
  }
  await expect.poll(status, PATIENCE).toBe('RETIRED')
  await change('restoreAgent', { id })
  await expect.poll(() => triggersOf(org), PATIENCE).toEqual(['EVENT incoming_customer_message'])
})

test('names without a binding are told when an agent is registered, updated or deployed, and by the settings', async () => {
  const triggers = [
    { type: 'schedule', expression: '0 9 * * *' },
    { type: 'webhook', source: 'instagram' },
    { type: 'webhook', source: 'My Shop' },
  ]
  const executor = { type: 'connector', connector: 'whatsapp' }
  const input = { document: document('told', triggers, executor) }
  const ask = async (name: string, given: object, field = 'agent') => {
    const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`
    const answer = await org
      .as('operator')
      .query<Record<string, Unbound & { agent: { id: string } }>>(
        `mutation($input: ${type}!) { ${name}(input: $input) { ${field} { id } ${UNBOUND} } }`,
        { input: given },
      )
    return answer[name] ?? expect.unreachable()
  }
  const first = await ask('registerAgent', input)
  expect(first.withoutBinding.map(({ path, name }) => [path, name])).toEqual([
    ['triggers.1.source', 'instagram'],
    ['triggers.2.source', 'My Shop'],
    ['executor.connector', 'whatsapp'],
  ])
  await listen('instagram')
  // One way is not the other.
  await listen('whatsapp')
  const names = ({ withoutBinding }: Unbound) => withoutBinding.map(({ name }) => name)
  const update = { agentId: first.agent.id, ...input }
  expect(names(await ask('updateAgent', update))).toEqual(['My Shop', 'whatsapp'])
  await set({ name: 'whatsapp', http: { url: agent.url } })
  expect(names(await ask('deployAgent', input, 'deployment'))).toEqual(['My Shop'])

  const { applySettings } = await org
    .as('admin')
    .query<{ applySettings: { withoutEffect: { path: string; reason: string }[] } }>(
      'mutation($input: ApplySettingsInput!) { applySettings(input: $input) { withoutEffect { path reason } } }',
      {
        input: {
          document: `organization_orchestration:
  integration_preferences: {messaging_platform: telegram, social_platforms: [instagram, twitter]}`,
        },
      },
    )
  const reasons = applySettings.withoutEffect.map(({ reason }) => reason)
  expect(reasons[0]).toContain('No connector is named telegram')
  expect(reasons[1]).toContain('There are connectors named instagram.')
  expect(reasons[1]).toContain('No connector is named twitter')
})

test('a connector is its organization’s alone, and says what is wrong with it all at once', async () => {
  const path = await listen('instagram')
  const stranger = await world.organization('stranger')
  await registerAgent(
    stranger.as('operator'),
    document('listener', [{ type: 'webhook', source: 'instagram' }]),
  )
  await expect.poll(() => triggersOf(stranger), PATIENCE).toHaveLength(1)
  await post(path, '{"entry":[]}')
  expect([(await received(org)).length, (await received(stranger)).length]).toEqual([1, 0])
  const connectors = (of: Organization) =>
    of.as('viewer').query<{ connectors: { nodes: { id: string }[] } }>('{ connectors { nodes { id name } } }')
  const [{ id } = { id: '' }] = (await connectors(org)).connectors.nodes
  expect((await connectors(stranger)).connectors.nodes).toEqual([])
  const refused = async (of: Organization, mutation: string, input: object) =>
    codesOf(await of.as('operator').send(mutation, { input }))
  const REMOVE =
    'mutation($input: RemoveConnectorInput!) { removeConnector(input: $input) { connector { id } } }'
  expect(await refused(stranger, REMOVE, { id })).toEqual(['NOT_FOUND'])
  // The other's credential is none here.
  expect(await refused(stranger, SET, { name: 'instagram', inbound })).toEqual(['NOT_FOUND'])
  const wrong = {
    name: 'Insta gram',
    http: { url: 'ftp://x' },
    mcp: { url: 'https://x.example', args: ['a'] },
  }
  const { body } = await org.as('operator').send(SET, { input: wrong })
  const problems = body.errors?.[0]?.extensions?.['problems']
  expect(JSON.stringify(problems)).toMatch(/input\.name.*input\.http\.url/)
  const own = await set({ name: 'a_new_name', inbound: { credential: 'source/secret' } })
  expect(own.connector).toMatchObject({ category: 'CORE', scheme: 'STANDARD_WEBHOOKS' })
  // Nobody publishes what only a connector brings.
  const { body: published } = await org
    .as('operator')
    .send('mutation($input: PublishEventInput!) { publishEvent(input: $input) { created } }', {
      input: { type: 'connector.instagram.received', source: 'connector:instagram', id: 'x', data: {} },
    })
  expect(codesOf({ body: published })).toEqual(['BAD_INPUT'])
})

test('a path is shown once; another one takes its place when it is asked for', async () => {
  const path = await listen('instagram')
  expect((await set({ name: 'instagram', inbound })).path).toBeNull()
  const { path: other } = await set({ name: 'instagram', inbound, newPath: true })
  expect(other).not.toBe(path)
  expect((await post(path, '{}')).status).toBe(404)
  expect((await post(other ?? '', '{}')).status).toBe(200)
  await set({ name: 'instagram', http: { url: agent.url } })
  expect((await post(other ?? '', '{"a":1}')).status).toBe(404)
})

test('what came is remembered for 90 days, and no longer', async () => {
  const path = await listen('instagram')
  for (const body of ['{"n":1}', '{"n":2}']) await post(path, body)
  const age = (days: number) =>
    world.asOwner(
      `update connector_delivery set created_at = now() - $2 * interval '1 day' where organization_id = $1`,
      [org.id, days],
    )
  const { database } = world.data
  await age(89)
  expect(await deleteOldDeliveries({ database })).toBe(0)
  expect((await post(path, '{"n":1}')).body.created).toBe(false)
  await age(91)
  expect(await deleteOldDeliveries({ database })).toBe(2)
  expect((await post(path, '{"n":1}')).body.created).toBe(true)
})
