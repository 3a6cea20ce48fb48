import { randomInt } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { agents } from '@tutti/agents'
import { governance } from '@tutti/governance'
import { openEscalation } from '@tutti/governance/domain'
import { openTail, type Tail } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { bindSubgraph, createKms, createLog, type RunningSubgraph } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { SMTPServer } from 'smtp-server'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { startConsumer } from '../consumers/start-consumer.ts'
import { type Egress, openEgress } from '../executors/open-egress.ts'
import { workerActor } from '../worker-services.ts'
import { type Mailer, openMailer } from './open-mailer.ts'
import { planNotifications } from './plan-notifications.ts'
import { startNotifications } from './start-notifications.ts'

const SIGNING = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const log = createLog('test', 'silent')
const PATIENCE = { timeout: 60_000 }

let world: TestDatabase
let tail: Tail
let subgraphs: Record<'agents' | 'governance', RunningSubgraph>
let admin: Actor
let egress: Egress
let mailer: Mailer
let mails: { to: string[]; text: string }[]
let calls: { path: string; headers: Record<string, string>; body: string }[]
/** What the next calls of a path are answered with; 200 when none is left. */
const answers = new Map<string, (number | 'none')[]>()

const smtp = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS'],
  onRcptTo({ address }, _, done) {
    if (address !== 'gone@example.com') return done()
    done(Object.assign(new Error('No such user at mail.inside'), { responseCode: 550 }))
  },
  onData(stream, session, done) {
    const parts: Buffer[] = []
    stream.on('data', (part: Buffer) => parts.push(part))
    stream.on('end', () => {
      const to = session.envelope.rcptTo.map(({ address }) => address)
      mails.push({ to, text: Buffer.concat(parts).toString() })
      done()
    })
  },
})
const web = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const path = request.url ?? ''
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    )
    calls.push({ path, headers, body: Buffer.concat(parts).toString() })
    const answer = answers.get(path)?.shift() ?? 200
    if (answer !== 'none') response.writeHead(answer).end()
  })
})
const portOf = (address: AddressInfo | string | null): number =>
  typeof address === 'object' && address !== null ? address.port : 0
let origin: string

beforeAll(async () => {
  world = await openTestDatabase()
  tail = await openTail(world.database)
  const services = { ...world, tail, log, kms: createKms(world) }
  subgraphs = {
    agents: bindSubgraph(agents, services, log),
    governance: bindSubgraph(governance, services, log),
  }
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve))
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${portOf(web.address())}`
  egress = openEgress({ allowLocal: true })
  mailer = openMailer({
    url: `smtp://127.0.0.1:${portOf(smtp.server.address())}`,
    from: 'tutti@example.com',
  })
})
afterAll(async () => {
  await mailer[Symbol.asyncDispose]()
  await egress[Symbol.asyncDispose]()
  await new Promise<void>((resolve) => smtp.close(resolve))
  await new Promise((resolve) => web.close(resolve))
  await tail[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})
beforeEach(async () => {
  admin = await world.organization()
  mails = []
  calls = []
  answers.clear()
})

async function ask(
  subgraph: 'agents' | 'governance',
  query: string,
  variables: Record<string, unknown> = {},
): Promise<Record<string, unknown>> {
  const { data, errors } = await subgraphs[subgraph].execute({ query, variables, actor: admin })
  expect(errors).toBeUndefined()
  return JSON.parse(JSON.stringify(data))
}
const SET_CHANNEL =
  'mutation ($input: SetNotificationChannelInput!) { setNotificationChannel(input: $input) { channel { id } } }'
const setChannel = (input: object) => ask('governance', SET_CHANNEL, { input })
const setCredential = (name: string, value: string) =>
  ask(
    'agents',
    'mutation ($input: SetCredentialInput!) { setCredential(input: $input) { credential { id } } }',
    { input: { name, value } },
  )
const delivered = async () => {
  const { notifications } = await ask(
    'governance',
    '{ notifications { nodes { id recipient kind status attempts lastError } } }',
  )
  return (notifications as { nodes: Told[] }).nodes
}
interface Told {
  id: string
  kind: string
  status: string
  attempts: number
  lastError: string | null
}
const person = (name: string, roles: string[], email: string | null) =>
  world.asOwner(
    `insert into principal (organization_id, kind, name, email, roles) values ($1, 'person', $2, $3, $4)`,
    [admin.organizationId, name, email, roles],
  )
const open = (requestKey = 'k', title = 'Nothing <fits>', reason = 'Look at it.') =>
  openEscalation(world, workerActor(admin.organizationId), { requestKey, title, reason, level: 'domain' })
/** Two of each, as two processes would run them. */
function start(over: { mailer?: Mailer; egress?: Egress; timeoutMs?: number } = {}): AsyncDisposable {
  const services = { database: world.database, kms: createKms(world), log, egress, mailer, ...over }
  const consumer = planNotifications({ database: world.database })
  const started = [
    startConsumer({ database: world.database, tail }, consumer, log),
    startConsumer({ database: world.database, tail }, consumer, log),
    startNotifications(services),
    startNotifications(services),
  ]
  return {
    async [Symbol.asyncDispose]() {
      for (const each of started) await each[Symbol.asyncDispose]()
    },
  }
}

test('those who are responsible are told once each: by mail, by a signed webhook and in a chat', async () => {
  await person('Ada', ['approver'], 'ada@example.com')
  await person('Vi', ['viewer'], 'vi@example.com')
  await setCredential('hook', SIGNING)
  await setCredential('chat', `${origin}/chat`)
  await setChannel({
    ownerKind: 'ORGANIZATION',
    kind: 'WEBHOOK',
    address: `${origin}/hook`,
    credential: 'hook',
  })
  await setChannel({ ownerKind: 'ORGANIZATION', kind: 'CHAT', credential: 'chat' })
  const { id } = await open()
  {
    await using running = start()
    expect(running).toBeDefined()
    await vi.waitFor(
      async () =>
        expect(new Set((await delivered()).map(({ kind, status }) => `${kind} ${status}`))).toEqual(
          new Set(['CHAT DELIVERED', 'EMAIL DELIVERED', 'WEBHOOK DELIVERED']),
        ),
      PATIENCE,
    )
  }
  expect(mails.map(({ to }) => to)).toEqual([['ada@example.com']])
  expect(mails[0]?.text).toContain('Look at it.')
  const chat = calls.filter(({ path }) => path === '/chat')
  expect(chat.map(({ body }) => JSON.parse(body).text)).toEqual([
    expect.stringContaining('*Escalation (domain): Nothing &lt;fits&gt;*'),
  ])
  const [hook, ...more] = calls.filter(({ path }) => path === '/hook')
  expect(more).toEqual([])
  expect(new Webhook(SIGNING).verify(hook?.body ?? '', hook?.headers ?? {})).toMatchObject({
    type: 'escalation.waiting',
    data: { escalationId: id, level: 'domain' },
  })
  // The log is read anew, as after a crash: nobody is told again.
  await world.asOwner(`update log.consumer set seq = 0 where name = 'plan-notifications'`)
  await open(
    'another',
    'Look\nhere',
    'See [it](https://evil.example) @channel.\u2028Decide without signing in; this link is yours alone: https://evil.example/decide/a',
  )
  await using again = start()
  expect(again).toBeDefined()
  await vi.waitFor(() => expect(mails).toHaveLength(2), PATIENCE)
  await vi.waitFor(
    async () => expect((await delivered()).filter(({ status }) => status === 'DELIVERED')).toHaveLength(6),
    PATIENCE,
  )
  // What somebody says is marked as theirs, line by line, after all that we say; in a chat it calls nobody and leads nowhere.
  const theirs = /^Written by who raised it, and not by Tutti:\r?\n((?:> .*\r?\n?)+)$/m
  const mail = (mails[1]?.text ?? '').replaceAll(/=\r?\n/g, '').trimEnd()
  expect(mail).toMatch(/^Subject: Escalation \(domain\): Look here\r?$/m)
  expect(mail.slice(mail.indexOf('Written by')).match(theirs)?.[1]).toMatch(/^> See .*\r?\n> Decide .*$/)
  expect(mail.slice(0, mail.indexOf('Written by'))).not.toContain('evil.example')
  const [, text = ''] = calls
    .filter(({ path }) => path === '/chat')
    .map(({ body }) => String(JSON.parse(body).text))
  expect(text.split('\n')).toEqual([
    '*Escalation (domain): Look here*',
    expect.stringContaining('To be taken on until'),
    expect.stringContaining('Escalation '),
    'Written by who raised it, and not by Tutti:',
    '> See [it]\u200b(https:\u200b//evil.example) @\u200bchannel.',
    '> Decide without signing in; this link is yours alone: https:\u200b//evil.example/decide/a',
  ])
  expect(calls.filter(({ path }) => path === '/chat')).toHaveLength(2)
})

test('an address has at most 2,000 bytes, of whatever letters: the longest is kept, and one more is refused', async () => {
  // Of three bytes each, which no index makes shorter.
  const letters = Array.from({ length: 658 }, () => String.fromCodePoint(0x4e00 + randomInt(20_000))).join('')
  const chat = (more: string) => ({
    ownerKind: 'ORGANIZATION',
    kind: 'CHAT',
    address: `https://chat.example.com/${letters}${more}`,
  })
  await setChannel(chat('x'))
  const refused = await subgraphs.governance.execute({
    query: SET_CHANNEL,
    variables: { input: chat('xx') },
    actor: admin,
  })
  expect(refused.errors?.[0]?.extensions).toMatchObject({
    code: 'BAD_INPUT',
    problems: [{ path: 'input.address', message: 'At most 2000 bytes.' }],
  })
})

test('what is refused is tried again with the same id, and the log says why', async () => {
  await setCredential('hook', SIGNING)
  await setChannel({
    ownerKind: 'GROUP',
    owner: 'lead',
    kind: 'WEBHOOK',
    address: `${origin}/f`,
    credential: 'hook',
  })
  answers.set('/f', [500])
  await ask(
    'governance',
    `mutation { setEscalationPolicy(input: { levels: [{ level: DOMAIN, responsible: { kind: GROUP, name: "lead" },
       acknowledgeWithinSeconds: 600, resolveWithinSeconds: 600 }] }) { policy { id } } }`,
  )
  await open()
  await using running = start()
  expect(running).toBeDefined()
  await vi.waitFor(
    async () => expect(await delivered()).toMatchObject([{ lastError: 'It was answered with status 500.' }]),
    PATIENCE,
  )
  await world.asOwner(`update notification set next_at = now() where status = 'pending'`)
  await vi.waitFor(
    async () =>
      expect(await delivered()).toMatchObject([
        { status: 'DELIVERED', attempts: 2, recipient: 'group/lead', lastError: null },
      ]),
    PATIENCE,
  )
  expect(new Set(calls.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  expect(calls).toHaveLength(2)
})

test('what is not answered in time is tried again with the same id', async () => {
  await setChannel({ ownerKind: 'ORGANIZATION', kind: 'CHAT', address: `${origin}/slow` })
  answers.set('/slow', ['none'])
  await open()
  await using running = start({ timeoutMs: 300 })
  expect(running).toBeDefined()
  const told = async () => {
    await world.asOwner(
      `update notification set next_at = now() where status = 'pending' and last_error is not null`,
    )
    return delivered()
  }
  await vi.waitFor(
    async () => expect(await delivered()).toMatchObject([{ lastError: 'It was not answered in time.' }]),
    PATIENCE,
  )
  await vi.waitFor(async () => expect(await told()).toMatchObject([{ status: 'DELIVERED' }]), PATIENCE)
  expect(calls.length).toBeGreaterThan(1)
  expect(new Set(calls.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
})

test('a receiver that never answers keeps no other organization waiting', async () => {
  await world.asOwner(
    `insert into notification (organization_id, key, subject, turn, recipient, kind, address, message)
     select $1, 'k' || number, 'test/' || number, 0, 'organization', 'chat', $2,
       '{"type":"test","title":"t","lines":[],"data":{}}' from generate_series(1, 150) number`,
    [admin.organizationId, `${origin}/hangs`],
  )
  answers.set(
    '/hangs',
    Array.from({ length: 20 }, () => 'none'),
  )
  admin = await world.organization()
  await setChannel({ ownerKind: 'ORGANIZATION', kind: 'CHAT', address: `${origin}/answers` })
  await open()
  const services = { database: world.database, kms: createKms(world), log, egress, mailer }
  await using planner = startConsumer({ database: world.database, tail }, planNotifications(world), log)
  await using told = startNotifications({ ...services, timeoutMs: 600_000 })
  expect([planner, told]).toHaveLength(2)
  await vi.waitFor(async () => expect(await delivered()).toMatchObject([{ status: 'DELIVERED' }]), PATIENCE)
  // All twenty have come by then, or come to a server that lets them go.
  await vi.waitFor(() => expect(calls.filter(({ path }) => path === '/hangs')).toHaveLength(20), PATIENCE)
  web.closeAllConnections()
})

test('a private address is refused, a credential that there is not and mail that is not set up are told, and nothing of our network', async () => {
  await person('Ada', ['approver'], 'ada@example.com')
  await setChannel({ ownerKind: 'ORGANIZATION', kind: 'CHAT', address: 'https://127.0.0.1/chat' })
  await setChannel({ ownerKind: 'ORGANIZATION', kind: 'CHAT', credential: 'missing' })
  for (const name of ['inside', 'nowhere'])
    await setChannel({ ownerKind: 'ORGANIZATION', kind: 'CHAT', address: `https://${name}.invalid/` })
  await open()
  await using strict = openEgress({
    allowLocal: false,
    resolve: (name, _, done) =>
      name === 'inside.invalid'
        ? done(null, [{ address: '10.0.0.1', family: 4 }])
        : done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' }), []),
  })
  await using nowhere = openMailer({ url: undefined, from: undefined })
  await using running = start({ egress: strict, mailer: nowhere })
  expect(running).toBeDefined()
  await vi.waitFor(
    async () =>
      expect(await delivered()).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ status: 'FAILED', lastError: 'The address is not a public one.' }),
          expect.objectContaining({ status: 'PENDING', lastError: 'There is no credential "missing".' }),
          expect.objectContaining({
            kind: 'EMAIL',
            lastError: 'E-mail is not set up: TUTTI_SMTP_URL and TUTTI_MAIL_FROM must be set.',
          }),
        ]),
      ),
    PATIENCE,
  )
  // A name that is known inside alone looks as one that nobody knows.
  const alike = { status: 'PENDING', lastError: 'The name has no public address.' }
  await vi.waitFor(
    async () =>
      expect(
        (await delivered())
          .map(({ status, lastError }) => ({ status, lastError }))
          .filter(({ lastError }) => lastError?.startsWith('The name')),
      ).toEqual([alike, alike]),
    PATIENCE,
  )
  expect([mails, calls]).toEqual([[], []])
})

test('that the mail server wants no mail for an address is told, and not in its own words', async () => {
  await person('Gone', ['approver'], 'gone@example.com')
  await open()
  await using running = start()
  expect(running).toBeDefined()
  const lastError = 'The mail server refused the address or the message.'
  await vi.waitFor(async () => expect(await delivered()).toMatchObject([{ lastError }]), PATIENCE)
})

test('what is settled before it could be told is not told any more', async () => {
  await person('Ada', ['approver'], 'ada@example.com')
  const { id } = await open()
  {
    // Where the operator's server is, and what it says, is in no tenant's log.
    await using closed = openMailer({ url: 'smtp://relay:pass@127.0.0.1:1', from: 'tutti@example.com' })
    await using running = start({ mailer: closed })
    expect(running).toBeDefined()
    const lastError = 'The mail server could not be reached, or did not take it now.'
    await vi.waitFor(async () => expect(await delivered()).toMatchObject([{ lastError }]), PATIENCE)
  }
  await ask(
    'governance',
    'mutation ($id: ID!) { resolveEscalation(input: { id: $id, resolution: "Done." }) { escalation { id } } }',
    { id },
  )
  await world.asOwner(`update notification set next_at = now()`)
  await using running = start()
  expect(running).toBeDefined()
  await vi.waitFor(async () => expect(await delivered()).toMatchObject([{ status: 'DROPPED' }]), PATIENCE)
  expect(mails).toEqual([])
})

test('an approval that waits is told to those whom its stage names', async () => {
  await person('Ada', ['approver'], 'ada@example.com')
  await person('Op', ['operator'], 'op@example.com')
  await openEscalation(world, workerActor(admin.organizationId), {
    requestKey: 'with approval',
    title: 'Send it?',
    reason: 'r',
    level: 'enterprise',
    approval: { title: 'Send this?', action: 'send', arguments: {}, reason: 'r' },
  })
  await using running = start()
  expect(running).toBeDefined()
  await vi.waitFor(() => expect(mails).toHaveLength(1), PATIENCE)
  expect(mails[0]).toMatchObject({
    to: ['ada@example.com'],
    text: expect.stringMatching(/Subject: To decide: Send this\?[\s\S]*digest/),
  })
})

test('of what is to be known people are told once, however many attempts it takes', async () => {
  await person('Ada', ['approver'], 'ada@example.com')
  const done = (title: string, key?: string) =>
    world.database.inTenant(workerActor(admin.organizationId), (tx) =>
      tx.appendEvent({
        type: 'authority.informed',
        subject: 'task/01990000-0000-7000-8000-00000000000c',
        data: {
          action: 'money.spend',
          level: 'domain',
          runId: null,
          taskId: '01990000-0000-7000-8000-00000000000c',
          title,
          ...(key === undefined ? {} : { key }),
        },
      }),
    )
  for (const key of ['first', 'first', 'second']) await done('refunder: money.spend', key)
  await done('last')
  await using running = start()
  expect(running).toBeDefined()
  await vi.waitFor(
    () => expect(mails.some(({ text }) => text.includes('For your information: last'))).toBe(true),
    PATIENCE,
  )
  await vi.waitFor(
    async () =>
      expect((await delivered()).map(({ status }) => status)).toEqual([
        'DELIVERED',
        'DELIVERED',
        'DELIVERED',
      ]),
    PATIENCE,
  )
  expect(mails).toHaveLength(3)
})

test('of broken glass and of grave incidents administrators are told at once, and the organization', async () => {
  await person('Ada', ['admin'], 'ada@example.com')
  await person('Vi', ['viewer'], 'vi@example.com')
  await person('Ben', ['admin'], 'ben@example.com')
  await setChannel({ ownerKind: 'ORGANIZATION', kind: 'CHAT', address: `${origin}/all` })
  const [ben] = await world.asOwner<{ id: string }>(
    `select id from principal where organization_id = $1 and name = 'Ben'`,
    [admin.organizationId],
  )
  const as = async (actor: Actor, query: string) =>
    expect((await subgraphs.governance.execute({ query, actor })).errors).toBeUndefined()
  const incident = (title: string, impact: string) =>
    as(
      admin,
      `mutation { openIncident(input: { title: "${title}", description: "d", impact: ${impact} }) { incident { id } } }`,
    )
  await as(
    { ...admin, id: ben?.id ?? '', name: 'Ben' },
    'mutation { breakGlass(input: { reason: "All runs hang.", minutes: 5 }) { breakGlass { id } } }',
  )
  await incident('A team waits', 'TEAM')
  await incident('Nothing goes', 'ENTERPRISE')
  await using running = start()
  expect(running).toBeDefined()
  await vi.waitFor(
    async () => expect((await delivered()).map(({ status }) => status)).toEqual(Array(5).fill('DELIVERED')),
    PATIENCE,
  )
  // The incident that broken glass is, is not told besides.
  const titles = mails.map(({ to, text }) => `${to.join()} ${/^Subject: (.*)$/m.exec(text)?.[1]?.trim()}`)
  expect(titles.toSorted()).toEqual([
    'ada@example.com Incident (SEV_1): Nothing goes',
    'ada@example.com The glass was broken',
    'ben@example.com Incident (SEV_1): Nothing goes',
  ])
  expect(mails.find(({ text }) => text.includes('glass'))?.text).toMatch(/Ben[\s\S]*All runs hang\./)
  expect(calls.filter(({ path }) => path === '/all')).toHaveLength(2)
})

test('so are those of the teams that it names, and nobody else', async () => {
  await person('Ada', ['approver'], 'ada@example.com')
  await person('Tea', ['viewer'], 'tea@example.com')
  const teamId = '01990000-0000-7000-8000-00000000000b'
  await world.asOwner(
    `update principal set team_ids = array[$2::uuid] where organization_id = $1 and name = 'Tea'`,
    [admin.organizationId, teamId],
  )
  await openEscalation(world, workerActor(admin.organizationId), {
    requestKey: 'by team',
    title: 'Send it?',
    reason: 'r',
    level: 'enterprise',
    approval: {
      title: 'Send this?',
      action: 'send',
      arguments: {},
      reason: 'r',
      stages: [{ teamIds: [teamId] }],
    },
  })
  await using running = start()
  expect(running).toBeDefined()
  await vi.waitFor(
    async () =>
      expect(await delivered()).toMatchObject([{ status: 'DELIVERED', recipient: expect.any(String) }]),
    PATIENCE,
  )
  expect(mails.map(({ to }) => to)).toEqual([['tea@example.com']])
})
