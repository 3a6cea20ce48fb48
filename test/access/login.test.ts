import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import type { Organization } from '../world/organization.ts'
import { startWorld, type World } from '../world/start-world.ts'
import { type Browser, openBrowser, type Page } from './browser.ts'
import { type IdentityProvider, type Somebody, startIdentityProvider } from './identity-provider.ts'

let world: World
let org: Organization
let idp: IdentityProvider

const VIEWER = JSON.stringify({ query: '{ viewer { id name kind roles scopes } }' })
const JSON_TYPE = { 'content-type': 'application/json' }
const SET = `mutation($input: SetIdentityProviderInput!) {
  setIdentityProvider(input: $input) { identityProvider { id redirectPath } }
}`
const END = 'mutation($input: EndSessionsInput!) { endSessions(input: $input) { sessionsEnded } }'

const somebody = (sub: string, groups: string[] = [], name = sub): Somebody => ({ sub, name, groups })
const provider = (more: Record<string, unknown> = {}): { input: Record<string, unknown> } => ({
  input: {
    issuer: idp.issuer,
    clientId: idp.clientId,
    clientSecret: idp.clientSecret,
    mapping: [
      { claimed: 'operations', role: 'operator' },
      { claimed: 'on duty', group: 'on-call' },
    ],
    defaultRole: 'viewer',
    ...more,
  },
})

beforeAll(async () => {
  world = await startWorld()
  org = await world.organization()
  idp = await startIdentityProvider(world.url, somebody('nobody'))
  const group = { name: 'on-call', memberIds: [] }
  await org
    .as('admin')
    .query('mutation($input: SetGroupInput!) { setGroup(input: $input) { group { id } } }', { input: group })
  await letIn(org)
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  await idp[Symbol.asyncDispose]()
})

interface Provider {
  id: string
  redirectPath: string
}

/** Lets people of a provider into an organization, and has it know where to send them back to. */
async function letIn(
  into: Organization,
  more: Record<string, unknown> = {},
  by: IdentityProvider = idp,
): Promise<Provider> {
  const { setIdentityProvider } = await into
    .as('admin')
    .query<{ setIdentityProvider: { identityProvider: Provider } }>(SET, provider(more))
  by.register(setIdentityProvider.identityProvider.redirectPath)
  return setIdentityProvider.identityProvider
}

const loginUrl = (more = ''): string => `${world.url}/auth/login?organization=${org.id}${more}`
const isCallback = ({ pathname }: URL): boolean => pathname.startsWith('/auth/callback/')

async function logIn(who: Somebody, browser: Browser = openBrowser()): Promise<Browser> {
  idp.next = who
  const page = await browser.get(loginUrl('&return=/health'))
  expect([page.status, page.url.pathname]).toEqual([200, '/health'])
  return browser
}

/** Everything until the browser would come back; where it would come back to. */
async function untilCallback(who: Somebody, browser: Browser): Promise<string> {
  idp.next = who
  const page = await browser.get(loginUrl(), (next) => !isCallback(next))
  return page.headers.get('location') ?? ''
}

interface Viewer {
  id: string
  name: string
  kind: string
  roles: string[]
  scopes: string[]
}

const ask = (browser: Browser, body = VIEWER, headers: Record<string, string> = JSON_TYPE): Promise<Page> =>
  browser.post(`${world.url}/graphql`, headers, body)

const viewer = async (browser: Browser): Promise<Viewer> => {
  const { text } = await ask(browser)
  return JSON.parse(text).data.viewer
}

/** The first error's code, or the status. */
const codeOf = (page: Page): unknown => {
  if (!page.text.startsWith('{')) return page.status
  return JSON.parse(page.text).errors?.[0]?.extensions?.code ?? page.status
}

const logsOut = (browser: Browser): Promise<void> =>
  vi.waitFor(async () => expect(codeOf(await ask(browser))).toBe('UNAUTHENTICATED'), { timeout: 30_000 })

const membersOf = async (name: string): Promise<string[]> => {
  const { groups } = await org
    .as('admin')
    .query<{ groups: { name: string; members: { id: string }[] }[] }>('{ groups { name members { id } } }')
  return groups.find((each) => each.name === name)?.members.map(({ id }) => id) ?? []
}

interface FailedLogin {
  actorId: string
  summary: string
  outcome: string
  domain: string
  details: { reasoning: string }
}

/** Failed logins that the audit trail has, the newest first. */
const failedLogins = async (): Promise<FailedLogin[]> => {
  const { auditEntries } = await org.as('admin').query<{ auditEntries: { nodes: FailedLogin[] } }>(
    `{ auditEntries(first: 50, actionType: "denial", subject: "operation/Login") {
      nodes { actorId summary outcome domain details }
    } }`,
  )
  return auditEntries.nodes
}

test('somebody logs in: a person with the roles and groups of the mapping, and a session in a cookie of ours alone', async () => {
  const browser = await logIn(somebody('ada', ['operations', 'on duty', 'others'], 'Ada'))
  const ada = await viewer(browser)
  expect(ada).toMatchObject({ name: 'Ada', kind: 'person', roles: ['operator', 'viewer'] })
  expect(await membersOf('on-call')).toContain(ada.id)
  expect(browser.attributes('tutti_session')).toMatch(/; HttpOnly; SameSite=Lax$/)
  expect(browser.cookies(`${world.url}/auth/callback/x`).has('tutti_login')).toBe(false)
  const token = browser.cookies(world.url).get('tutti_session') ?? ''
  const rows = await world.asOwner<{ row: string }>(
    'select to_jsonb(s)::text as row from session s where organization_id = $1',
    [org.id],
  )
  expect(rows).not.toEqual([])
  expect(JSON.stringify(rows)).not.toContain(token)
  // The token is no key.
  const { status } = await fetch(`${world.url}/graphql`, {
    method: 'POST',
    headers: { ...JSON_TYPE, authorization: `Bearer ${token}` },
    body: VIEWER,
  })
  expect(status).toBe(401)
  // The next login of this browser ends the session that it had.
  await logIn(somebody('ada', ['operations', 'on duty', 'others'], 'Ada'), browser)
  const old = { ...JSON_TYPE, cookie: `tutti_session=${token}` }
  await vi.waitFor(
    async () => expect(codeOf(await ask(openBrowser(), VIEWER, old))).toBe('UNAUTHENTICATED'),
    { timeout: 30_000 },
  )
  expect(await viewer(browser)).toMatchObject({ id: ada.id })
})

test('at the next login the same person has what their groups are by then, and loses the rest everywhere', async () => {
  const first = await logIn(somebody('grace', ['operations', 'on duty']))
  const before = await viewer(first)
  const second = await logIn(somebody('grace', []))
  expect(await viewer(second)).toMatchObject({ id: before.id, roles: ['viewer'] })
  expect(await membersOf('on-call')).not.toContain(before.id)
  await vi.waitFor(async () => expect((await viewer(first)).roles).toEqual(['viewer']), { timeout: 30_000 })
})

test('whoever bears a name that is taken is somebody else', async () => {
  const one = await viewer(await logIn(somebody('eva-1', [], 'Eva')))
  const other = await viewer(await logIn(somebody('eva-2', [], 'Eva')))
  const admin = await viewer(await logIn(somebody('eva-3', [], org.actor('admin').name)))
  expect(new Set([one.id, other.id, admin.id, org.actor('admin').id]).size).toBe(4)
  expect(other.name).toBe('Eva (eva-2@example.com)')
  expect(admin.roles).toEqual(['viewer'])
})

test('a login with another state is refused, and so is one without the cookie', async () => {
  const browser = openBrowser()
  const back = new URL(await untilCallback(somebody('mallory'), browser))
  back.searchParams.set('state', 'another')
  expect(codeOf(await browser.get(back.href))).toBe('UNAUTHENTICATED')
  const victim = openBrowser()
  expect(codeOf(await victim.get(await untilCallback(somebody('mallory'), openBrowser())))).toBe(
    'UNAUTHENTICATED',
  )
  expect(victim.cookies(world.url).size + browser.cookies(world.url).size).toBe(0)
})

test('a login cookie that was changed is refused', async () => {
  const browser = openBrowser()
  const back = await untilCallback(somebody('mallory'), browser)
  const [text = '', signature = ''] = (browser.cookies(back).get('tutti_login') ?? '').split('.')
  const state = JSON.parse(Buffer.from(text, 'base64url').toString())
  const changed = Buffer.from(JSON.stringify({ ...state, returnTo: '/elsewhere' })).toString('base64url')
  const cookie = `tutti_login=${changed}.${signature}`
  const response = await fetch(back, { headers: { cookie }, redirect: 'manual' })
  expect(response.status).toBe(401)
})

test('another login’s code is refused: its token has another nonce, and its verifier another challenge', async () => {
  const [one, other] = [openBrowser(), openBrowser()]
  const mine = new URL(await untilCallback(somebody('trent'), one))
  const theirs = new URL(await untilCallback(somebody('mallory'), other))
  mine.searchParams.set('code', theirs.searchParams.get('code') ?? '')
  expect(codeOf(await one.get(mine.href))).toBe('UNAUTHENTICATED')
})

test('a callback that is replayed is refused, also with the cookie of the first time', async () => {
  const browser = openBrowser()
  const back = await untilCallback(somebody('peggy'), browser)
  const cookie = browser.header(back)
  expect((await browser.get(back, () => false)).status).toBe(303)
  expect(codeOf(await browser.get(back))).toBe('UNAUTHENTICATED')
  const replayed = await fetch(back, { headers: { cookie }, redirect: 'manual' })
  expect(replayed.status).toBe(401)
  expect(replayed.headers.getSetCookie().join()).not.toContain('tutti_session')
})

test('what the provider refuses is refused here, and nothing of what came is shown', async () => {
  const browser = openBrowser()
  const back = new URL(await untilCallback(somebody('peggy'), browser))
  back.searchParams.delete('code')
  back.searchParams.set('error', 'access_denied')
  back.searchParams.set('error_description', '<script>alert(1)</script>')
  const page = await browser.get(back.href, () => false, { accept: 'text/html' })
  expect(page.status).toBe(401)
  expect(page.text).toContain('UNAUTHENTICATED')
  expect(page.text).not.toContain('alert')
  const [entry] = await failedLogins()
  expect(entry).toMatchObject({ actorId: 'system:login', outcome: 'UNAUTHENTICATED', domain: 'access' })
  expect(entry?.details.reasoning).toContain(idp.issuer)
  expect(JSON.stringify(entry)).not.toContain('alert')
})

test('whoever is deactivated is out at once, and told so when they log in; the audit trail has it as theirs', async () => {
  const browser = await logIn(somebody('trudy'))
  const { id } = await viewer(browser)
  const deactivated = await org.as('admin').query(
    `mutation($input: DeactivatePrincipalInput!) {
      deactivatePrincipal(input: $input) { sessionsEnded principal { active } }
    }`,
    { input: { id, reason: 'left' } },
  )
  expect(deactivated).toEqual({
    deactivatePrincipal: { sessionsEnded: 1, principal: { active: false } },
  })
  await logsOut(browser)
  idp.next = somebody('trudy')
  const page = await openBrowser().get(loginUrl())
  expect([page.status, codeOf(page)]).toEqual([403, 'FORBIDDEN'])
  expect(page.text).toContain('Ask an administrator')
  expect((await failedLogins()).filter(({ actorId }) => actorId === id)).toMatchObject([
    { outcome: 'FORBIDDEN', summary: 'Login was refused to trudy.' },
  ])
})

test.each(['https://evil.example', '//evil.example', '/\\evil.example', '/\t/evil.example', 'graphql'])(
  'nobody is sent on to %j',
  async (path) => {
    const page = await openBrowser().get(loginUrl(`&return=${encodeURIComponent(path)}`), () => false)
    expect([page.status, codeOf(page)]).toEqual([400, 'BAD_INPUT'])
  },
)

test('an organization that there is not, and one without a provider, answer alike', async () => {
  const other = await world.organization()
  const pages = await Promise.all(
    [other.id, '00000000-0000-7000-8000-00000000ffff', 'x'].map((id) =>
      openBrowser().get(`${world.url}/auth/login?organization=${id}`, () => false),
    ),
  )
  expect(new Set(pages.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
  expect(pages.map(codeOf)).toEqual(['NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND'])
})

test('an organization’s provider lets nobody into another one', async () => {
  const other = await world.organization()
  const theirs = (await letIn(other, { mapping: [] })).id
  const page = await openBrowser().get(loginUrl(`&provider=${theirs}`), () => false)
  expect(codeOf(page)).toBe('NOT_FOUND')
  // The same person of the same provider is another principal in each.
  const here = await viewer(await logIn(somebody('ivan')))
  const browser = openBrowser()
  await browser.get(`${world.url}/auth/login?organization=${other.id}&return=/health`)
  const there = await viewer(browser)
  expect([there.name, there.id === here.id]).toEqual(['ivan', false])
  expect(codeOf(await ask(browser, JSON.stringify({ query: '{ identityProviders { id } }' })))).toBe(
    'FORBIDDEN',
  )
})

test('an organization’s provider that sends a browser on to another’s is handed no code of it', async () => {
  const [theirs, evils] = [await world.organization(), await world.organization()]
  await using honest = await startIdentityProvider(world.url, somebody('ceo', [], 'The CEO'))
  honest.saysIssuer = false
  const { issuer } = honest
  const { id, redirectPath } = await letIn(theirs, { issuer, mapping: [], defaultRole: 'admin' }, honest)
  // The attacker begins a login of their own; it is its challenge and nonce that the honest provider is asked with.
  const attacker = openBrowser()
  const begun = await attacker.get(`${world.url}/auth/login?organization=${theirs.id}`, () => false)
  const own = new URL(begun.headers.get('location') ?? '')
  const asked: string[] = []
  const evil = createServer((request, response) => {
    const at = `http://${request.headers.host}`
    const { pathname, searchParams } = new URL(request.url ?? '', at)
    asked.push(pathname)
    if (pathname === '/auth') {
      const on = new URL(own)
      on.searchParams.set('state', searchParams.get('state') ?? '')
      return void response.writeHead(302, { location: on.href }).end()
    }
    const metadata = {
      issuer: at,
      authorization_endpoint: `${at}/auth`,
      token_endpoint: `${at}/token`,
      jwks_uri: `${at}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    }
    const found = pathname === '/.well-known/openid-configuration'
    return void response
      .writeHead(found ? 200 : 400, { 'content-type': 'application/json' })
      .end(JSON.stringify(found ? metadata : { error: 'invalid_grant' }))
  })
  evil.listen(0, '127.0.0.1')
  await once(evil, 'listening')
  const { port } = evil.address() as AddressInfo
  const evilId = (await letIn(evils, { issuer: `http://127.0.0.1:${port}`, mapping: [] })).id

  const victim = openBrowser()
  const page = await victim.get(`${world.url}/auth/login?organization=${evils.id}&provider=${evilId}`)
  const code = page.url.searchParams.get('code') ?? ''
  evil.closeAllConnections()
  evil.close()
  // The honest provider gave a code, by its own way back, where nobody waited for it.
  expect([page.url.pathname, code.length > 10, codeOf(page)]).toEqual([redirectPath, true, 'UNAUTHENTICATED'])
  expect(asked).toEqual(['/.well-known/openid-configuration', '/auth'])
  expect(victim.cookies(world.url).size).toBe(0)
  // What the code is worth, for whoever has it: by it the attacker would be who it was for.
  const back = `${world.url}${redirectPath}?code=${code}&state=${own.searchParams.get('state')}`
  await attacker.get(back, () => false)
  expect(await viewer(attacker)).toMatchObject({ name: 'The CEO', roles: ['admin'] })
  const listed = await theirs.as('admin').query('{ identityProviders { id redirectPath } }')
  expect(listed).toEqual({ identityProviders: [{ id, redirectPath: `/auth/callback/${id}` }] })
})

test('a page of another site does nothing with a session', async () => {
  const browser = await logIn(somebody('olga'))
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const refusals = await Promise.all([
    ask(browser, 'query={viewer{id}}', form),
    ask(browser, VIEWER, { 'content-type': 'text/plain' }),
    ask(browser, VIEWER, { ...JSON_TYPE, origin: 'https://evil.example' }),
    ask(browser, VIEWER, { ...JSON_TYPE, 'sec-fetch-site': 'cross-site' }),
    browser.post(`${world.url}/graphql/stream`, { 'content-type': 'text/plain' }, VIEWER),
    browser.post(`${world.url}/auth/logout`, form),
  ])
  expect(refusals.map(codeOf)).toEqual(Array.from(refusals, () => 'FORBIDDEN'))
  const got = await browser.get(`${world.url}/graphql?query={viewer{id}}`)
  expect(got.text).not.toContain('"viewer"')
  expect((await viewer(browser)).name).toBe('olga')
  const own = await ask(browser, VIEWER, { ...JSON_TYPE, origin: world.url })
  expect(JSON.parse(own.text).data.viewer.name).toBe('olga')
})

test('a socket is opened with a session by our own page alone', async () => {
  const browser = await logIn(somebody('nadia'))
  const open = (origin: string): Promise<unknown> => {
    class Socket extends WebSocket {
      constructor(url: string, protocols: string) {
        super(url, protocols, { origin, headers: { cookie: browser.header(world.url) } })
      }
    }
    const client = createClient({
      url: `${world.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: Socket,
      retryAttempts: 0,
    })
    return new Promise((resolve) => {
      client.subscribe(
        { query: '{ viewer { name } }' },
        { next: resolve, error: resolve, complete: () => void client.dispose() },
      )
    })
  }
  expect(await open(world.url)).toMatchObject({ data: { viewer: { name: 'nadia' } } })
  expect(await open('https://evil.example')).toMatchObject({ code: 4401 })
})

test('whoever logs out is out, and their other session is not', async () => {
  const [one, other] = [await logIn(somebody('rupert')), await logIn(somebody('rupert'))]
  const token = one.header(world.url)
  expect((await one.post(`${world.url}/auth/logout`, JSON_TYPE, '{}')).status).toBe(204)
  expect(one.cookies(world.url).size).toBe(0)
  await vi.waitFor(
    async () => {
      const headers = { ...JSON_TYPE, cookie: token }
      expect((await fetch(`${world.url}/graphql`, { method: 'POST', headers, body: VIEWER })).status).toBe(
        401,
      )
    },
    { timeout: 30_000 },
  )
  expect((await viewer(other)).name).toBe('rupert')
})

test('an administrator ends all of somebody’s sessions, and nobody else’s', async () => {
  const [one, other, bystander] = [
    await logIn(somebody('sybil')),
    await logIn(somebody('sybil')),
    await logIn(somebody('walter')),
  ]
  const { id } = await viewer(one)
  const input = { principalId: id }
  expect(await org.as('admin').query(END, { input })).toEqual({ endSessions: { sessionsEnded: 2 } })
  expect(await org.as('admin').query(END, { input })).toEqual({ endSessions: { sessionsEnded: 0 } })
  await logsOut(one)
  await logsOut(other)
  expect((await viewer(bystander)).name).toBe('walter')
  expect((await viewer(await logIn(somebody('sybil')))).id).toBe(id)
})

test('a session that is over opens nothing', async () => {
  const browser = await logIn(somebody('zoe'))
  const { id } = await viewer(browser)
  await world.asOwner(`update session set expires_at = now() where principal_id = $1`, [id])
  await logsOut(browser)
})

test('without its provider nobody logs in, and its sessions are over', async () => {
  const other = await world.organization()
  const { id } = await letIn(other, { mapping: [] })
  const url = `${world.url}/auth/login?organization=${other.id}&return=/health`
  idp.next = somebody('yves')
  const [browser, late] = [openBrowser(), openBrowser()]
  await browser.get(url)
  expect((await viewer(browser)).name).toBe('yves')
  const back = (await late.get(url, (next) => !isCallback(next))).headers.get('location') ?? ''
  const removed = await other
    .as('admin')
    .query(
      'mutation($input: RemoveIdentityProviderInput!) { removeIdentityProvider(input: $input) { sessionsEnded } }',
      { input: { id } },
    )
  expect(removed).toEqual({ removeIdentityProvider: { sessionsEnded: 1 } })
  await logsOut(browser)
  expect(codeOf(await late.get(back))).toBe('UNAUTHENTICATED')
  expect(codeOf(await late.get(url))).toBe('NOT_FOUND')
})

test('a provider that does not answer is not the caller’s fault', async () => {
  const other = await world.organization()
  const gone = await startIdentityProvider(world.url, somebody('nobody'))
  await gone[Symbol.asyncDispose]()
  await other.as('admin').query(SET, provider({ issuer: gone.issuer, mapping: [] }))
  const page = await openBrowser().get(`${world.url}/auth/login?organization=${other.id}`, () => false)
  expect([page.status, codeOf(page)]).toEqual([503, 'UNAVAILABLE'])
  expect(page.text).not.toContain(gone.issuer)
})

test('a provider is set with all that is wrong with it said at once, and its secret is never shown', async () => {
  const { body } = await org.as('admin').send(SET, {
    input: {
      issuer: 'http://login.example.com',
      clientId: '',
      clientSecret: 'short',
      defaultRole: 'agent',
      mapping: [{ claimed: 'a' }],
    },
  })
  const problems = JSON.stringify(body.errors?.[0]?.extensions)
  expect(body.errors?.[0]?.extensions?.['code']).toBe('BAD_INPUT')
  for (const path of ['issuer', 'clientId', 'clientSecret', 'defaultRole', 'mapping.0.role'])
    expect(problems).toContain(path)
  const rows = await world.asOwner<{ row: string }>(
    'select to_jsonb(i)::text as row from identity_provider i',
  )
  expect(JSON.stringify(rows)).not.toContain(idp.clientSecret)
  const told = await world.asOwner<{ data: string }>(
    `select data::text from log.event where organization_id = $1 and type = 'identity_provider.set'`,
    [org.id],
  )
  expect(told).not.toEqual([])
  expect(JSON.stringify(told)).not.toContain(idp.clientSecret)
})
