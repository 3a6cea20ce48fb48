import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type HttpAgent, startHttpAgent } from '../flows/http-agent.ts'
import { registerAgent } from '../flows/operations.ts'
import { type Platform, startPlatform } from '../flows/platform.ts'

const PATIENCE = { timeout: 20_000, interval: 50 }
const SECRET = 'app-secret-of-the-source'

const cleanup = new AsyncDisposableStack()
let platform: Platform
let agent: HttpAgent

beforeAll(async () => {
  agent = cleanup.use(await startHttpAgent(() => ({ output: 'answered' })))
  platform = cleanup.use(
    await startPlatform('distributed', {
      workers: 2,
      environment: { TUTTI_ALLOW_LOCAL_AGENTS: 'true' },
    }),
  )
})
afterAll(() => cleanup.disposeAsync())

test('between processes of their own a message comes in, is verified, and starts its agent once', async () => {
  const input = { name: 'whatsapp/secret', value: SECRET }
  await platform
    .as('admin')
    .query('mutation($input: SetCredentialInput!) { setCredential(input: $input) { credential { id } } }', {
      input,
    })
  const inbound = { credential: input.name, verifyCredential: input.name }
  const { setConnector } = await platform
    .as('operator')
    .query<{ setConnector: { path: string } }>(
      'mutation($input: SetConnectorInput!) { setConnector(input: $input) { path } }',
      { input: { name: 'whatsapp', inbound } },
    )
  const url = `${platform.url}${setConnector.path}`
  const challenge = await fetch(`${url}?hub.mode=subscribe&hub.challenge=42&hub.verify_token=${SECRET}`)
  expect([challenge.status, await challenge.text()]).toEqual([200, '42'])

  const triggers = [
    { type: 'webhook', source: 'whatsapp' },
    { type: 'schedule', expression: '0 9 * * *' },
  ]
  const executor = { type: 'http', url: agent.url }
  const metadata = { name: 'receptionist', type: 'messaging.test', version: '1.0.0' }
  await registerAgent(platform.as('operator'), JSON.stringify({ metadata, triggers, executor }))
  const count = async () => {
    const [row] = await platform.sql<{ n: number }>(
      'select count(*)::int as n from trigger where agent_id is not null',
    )
    return row?.n
  }
  await expect.poll(count, PATIENCE).toBe(2)

  const body = JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: 'ü' }] })
  const send = async (secret: string) => {
    const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
    const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signature }
    return (await fetch(url, { method: 'POST', headers, body })).status
  }
  expect(await send('another')).toBe(404)
  expect(await Promise.all([send(SECRET), send(SECRET), send(SECRET)])).toEqual([200, 200, 200])
  await expect
    .poll(() => agent.calls.map(({ json }) => json.input), PATIENCE)
    .toMatchObject([{ trigger: { type: 'connector.whatsapp.received', data: JSON.parse(body) } }])
  const [runs] = await platform.sql<{ n: number }>('select count(*)::int as n from run')
  expect(runs?.n).toBe(1)
})
