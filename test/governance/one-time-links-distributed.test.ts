import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBrowser } from '../access/browser.ts'
import { startIdentityProvider } from '../access/identity-provider.ts'
import { type Platform, startPlatform } from '../flows/platform.ts'
import { searchFiles, searchTables } from '../flows/search-everywhere.ts'
import { type Mailbox, openMailbox, tokenIn } from './mailbox.ts'

const PATIENCE = { timeout: 60_000, interval: 50 }
/** Of the proxy in front, which is not there: what goes to it is sent to the gateway. */
const PUBLIC_URL = 'https://tutti.example.com'

const cleanup = new AsyncDisposableStack()
let mailbox: Mailbox
let platform: Platform

beforeAll(async () => {
  mailbox = cleanup.use(await openMailbox())
  platform = cleanup.use(
    await startPlatform('distributed', {
      environment: {
        TUTTI_SMTP_URL: mailbox.url,
        TUTTI_MAIL_FROM: 'tutti@example.com',
        TUTTI_PUBLIC_URL: PUBLIC_URL,
        // The identity provider is on this machine.
        TUTTI_ALLOW_LOCAL_AGENTS: 'true',
        LOG_LEVEL: 'trace',
      },
    }),
  )
})
afterAll(() => cleanup.disposeAsync())

test('between processes of their own a link is sent, shown and used once, and its token is kept nowhere', async () => {
  await platform.sql(`update principal set email = 'ada@example.com' where 'approver' = any(roles)`)
  const { requestApproval } = await platform
    .as('operator')
    .query<{ requestApproval: { approval: { id: string } } }>(
      `mutation { requestApproval(input: { title: "Send it?", action: "send", arguments: {}, reason: "r",
         stages: [{ roles: ["approver"] }], idempotencyKey: "one" }) { approval { id } } }`,
    )
  await expect.poll(() => mailbox.to('ada@example.com').length, PATIENCE).toBe(1)
  const token = mailbox.mails.map(tokenIn)[0] ?? ''
  expect(token).toHaveLength(43)
  const link = `${platform.url}/decide/${token}`
  const shown = await fetch(link)
  expect([shown.status, shown.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  expect(await shown.text()).toContain('Send it?')
  const decide = async () => {
    const response = await fetch(link, { method: 'POST', body: new URLSearchParams({ decision: 'APPROVE' }) })
    return response.status
  }
  expect((await Promise.all([decide(), decide(), decide()])).sort((a, b) => a - b)).toEqual([200, 404, 404])
  const { approval } = await platform
    .as('admin')
    .query<{ approval: object }>(
      'query ($id: ID!) { approval(id: $id) { status decisions { decidedBy { name } } } }',
      { id: requestApproval.approval.id },
    )
  expect(approval).toMatchObject({ status: 'APPROVED', decisions: [{ decidedBy: expect.anything() }] })

  const tables = await searchTables(platform, [token])
  expect([tables.found, tables.looked > 30]).toEqual([[], true])
  const files = searchFiles(platform, [token])
  expect([files.found, files.looked > 0]).toEqual([[], true])
})

test('between processes of their own somebody logs in by a provider, works by a session, and logs out', async () => {
  const ada = { sub: 'ada', name: 'Ada', groups: ['operations'] }
  const idp = cleanup.use(await startIdentityProvider(PUBLIC_URL, ada))
  const { issuer, clientId, clientSecret } = idp
  const mapping = [{ claimed: 'operations', role: 'operator' }]
  const { setIdentityProvider } = await platform
    .as('admin')
    .query<{ setIdentityProvider: { identityProvider: { redirectPath: string } } }>(
      'mutation($input: SetIdentityProviderInput!) { setIdentityProvider(input: $input) { identityProvider { redirectPath } } }',
      { input: { issuer, clientId, clientSecret, mapping } },
    )
  idp.register(setIdentityProvider.identityProvider.redirectPath)
  const [org] = await platform.sql<{ id: string }>('select organization_id as id from organization')
  const browser = openBrowser()
  const there = await browser.get(
    `${platform.url}/auth/login?organization=${org?.id}&return=/health`,
    ({ origin }) => origin !== PUBLIC_URL,
  )
  const callback = (there.headers.get('location') ?? '').replace(PUBLIC_URL, platform.url)
  const back = await browser.get(callback)
  expect([back.status, back.url.pathname]).toEqual([200, '/health'])
  expect(browser.attributes('__Host-tutti_session')).toMatch(/; Path=\/; .*HttpOnly; SameSite=Lax; Secure$/)

  const viewer = async () => {
    const body = JSON.stringify({ query: '{ viewer { name roles } }' })
    const { text } = await browser.post(
      `${platform.url}/graphql`,
      { 'content-type': 'application/json', cookie: session },
      body,
    )
    const { data, errors } = JSON.parse(text)
    return data?.viewer ?? errors[0].extensions.code
  }
  const session = browser.header(platform.url)
  expect(await viewer()).toEqual({ name: 'Ada', roles: ['operator'] })
  const out = await browser.post(`${platform.url}/auth/logout`, {
    origin: PUBLIC_URL,
    'sec-fetch-site': 'same-origin',
  })
  expect([out.status, browser.cookies(platform.url).size]).toEqual([204, 0])
  await expect.poll(viewer, PATIENCE).toBe('UNAUTHENTICATED')

  const secrets = [session.replace('__Host-tutti_session=', ''), clientSecret]
  expect((await searchTables(platform, secrets)).found).toEqual([])
  expect(searchFiles(platform, secrets).found).toEqual([])
})

test('between processes of their own a directory makes somebody, and is told where they are', async () => {
  const call = (body: object) =>
    fetch(`${platform.url}/scim/v2/Users`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${platform.as('admin').key}`,
        'content-type': 'application/scim+json',
      },
      body: JSON.stringify(body),
    })
  const made = await call({ userName: 'grace@example.com' })
  const { id, active } = JSON.parse(await made.text())
  expect([made.status, active]).toEqual([201, true])
  expect(made.headers.get('location')).toBe(`${PUBLIC_URL}/scim/v2/Users/${id}`)
  const refused = await call({})
  expect([refused.status, JSON.parse(await refused.text()).scimType]).toEqual([400, 'invalidValue'])
})
