import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { agentExecutor, registerAgent, watchNewAgents } from '@tutti/agents/domain'
import { openTail, type Tail } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { createLog } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { openEgress } from '../executors/open-egress.ts'
import { probe } from './probes.ts'
import { startHealthChecks } from './start-health-checks.ts'

/** A server that is started as a command. */
const GREETS = join(import.meta.dirname, '../../../test/agents-outside/fixtures/mcp-command.ts')
const cleanup = new AsyncDisposableStack()
let world: TestDatabase
let tail: Tail
let actor: Actor
const egress = cleanup.use(openEgress({ allowLocal: true }))
/** What the agent answers, and what it was asked. */
let status = 200
/** Whether it knows MCP and A2A. */
let speaks = true
const asked: string[] = []

const server = createServer((request, response) => {
  asked.push(`${request.method} ${request.url}`)
  response.statusCode = status
  if (speaks && request.url === '/mcp') return void answerMcp(request, response)
  if (speaks && request.url?.endsWith('agent-card.json'))
    return void response.setHeader('content-type', 'application/json').end(JSON.stringify(CARD))
  response.end('{}')
})

beforeAll(async () => {
  world = cleanup.use(await openTestDatabase())
  tail = cleanup.use(await openTail(world.database))
  actor = await world.organization()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanup.defer(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
})
afterAll(() => cleanup.disposeAsync())

/** Of protocol 2025: the first words, and nothing else. */
async function answerMcp(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const said = z
    .object({ id: z.unknown(), method: z.string() })
    .safeParse(JSON.parse((await text(request)) || '{}'))
  response.setHeader('content-type', 'application/json')
  if (!said.success || said.data.id === undefined) return void response.writeHead(202).end()
  const { id, method } = said.data
  const result = {
    protocolVersion: '2025-06-18',
    capabilities: {},
    serverInfo: { name: 'test', version: '1' },
  }
  const error = { code: -32601, message: 'There is no such method.' }
  response.end(JSON.stringify({ jsonrpc: '2.0', id, ...(method === 'initialize' ? { result } : { error }) }))
}

const CARD = {
  name: 'test',
  description: 'test',
  version: '1',
  protocolVersion: '0.3.0',
  url: 'http://127.0.0.1:1/',
  preferredTransport: 'JSONRPC',
  capabilities: {},
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain'],
  skills: [],
}

const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/do`
const servicesOf = () => ({
  database: world.database,
  secret: world.secret,
  egress,
  log: createLog('test', 'silent'),
})

/** Registers an HTTP agent that is looked at as these settings say; answers with its id. */
async function register(name: string, health: object): Promise<string> {
  const id = await agentBy(name, { type: 'http', url: url() })
  await look(id, health)
  return id
}

/** Registers an agent with this executor; answers with its id. */
async function agentBy(name: string, executor: object): Promise<string> {
  const document = JSON.stringify({ metadata: { name, type: 'test.press', version: '1.0.0' }, executor })
  return (await registerAgent({ database: world.database }, actor, { document })).agent.id
}

/** From now on the agent is looked at as these settings say. */
const look = (id: string, health: object) =>
  world.database.inTenant(actor, (tx) =>
    tx.sql(
      'insert into reliability_settings (organization_id, id, settings) values ($1::uuid, $2::uuid, $3::jsonb)',
      actor.organizationId,
      id,
      JSON.stringify({ health }),
    ),
  )

/** Says how a connector is called. */
const bind = (name: string, outbound: object) =>
  world.database.inTenant(actor, (tx) =>
    tx.sql(
      `insert into connector (organization_id, name, category, outbound, updated_by)
       values ($1::uuid, $2, 'core', $3::jsonb, '{}')
       on conflict (organization_id, name) do update set outbound = excluded.outbound`,
      actor.organizationId,
      name,
      JSON.stringify(outbound),
    ),
  )

const find = async (id: string) =>
  probe(servicesOf(), actor.organizationId, await agentExecutor(servicesOf(), actor, id))

test('an HTTP agent is asked at its address, where any answer will do, or at its own path, where only a good one does', async () => {
  const plain = await register('plain', {})
  const strict = await register('strict', { path: '/alive' })
  status = 405
  expect(await find(plain)).toEqual({ ok: true })
  expect(await find(strict)).toEqual({ ok: false, reason: 'It answered with status 405.' })
  status = 500
  expect(await find(plain)).toMatchObject({ ok: false })
  status = 200
  expect(await find(strict)).toEqual({ ok: true })
  expect(asked).toContain('GET /alive')
})

test('an agent is unhealthy after three failed checks and healthy after two good ones, and says so', async () => {
  status = 503
  const id = await register('watched', { intervalMs: 20 })
  const seen: string[] = []
  const gone = new AbortController()
  const feed = tail.subscribe(
    { organizationId: actor.organizationId, types: ['agent.healthy', 'agent.unhealthy'] },
    { after: '0000000000000', signal: gone.signal },
  )
  await world.database.inTenant(actor, (tx) =>
    tx.sql(
      'insert into agent_health (organization_id, id, due_at) values ($1::uuid, $2::uuid, now())',
      actor.organizationId,
      id,
    ),
  )
  // Two processes: an agent that is due is taken by one of them.
  await using _one = startHealthChecks(servicesOf(), { lookMs: 10 })
  await using _two = startHealthChecks(servicesOf(), { lookMs: 10 })
  for await (const { type } of feed) {
    seen.push(type)
    if (type === 'agent.unhealthy') status = 200
    else break
  }
  gone.abort()
  expect(seen).toEqual(['agent.unhealthy', 'agent.healthy'])
})

test('an MCP server and an A2A agent are there when they speak their protocol, or ask who is there', async () => {
  const at = (type: string, path: string) => {
    const tool = type === 'mcp' ? ', tool: press' : ''
    const address = new URL(path, url()).href
    return `metadata: { name: by_${type}, type: test.press, version: 1.0.0 }\nexecutor: { type: ${type}, url: "${address}"${tool} }\n`
  }
  const idOf = async (document: string) =>
    (await registerAgent({ database: world.database }, actor, { document })).agent.id
  const ids = [await idOf(at('mcp', '/mcp')), await idOf(at('a2a', '/'))]
  for (const id of ids) expect(await find(id)).toEqual({ ok: true })
  status = 401
  for (const id of ids) expect(await find(id)).toEqual({ ok: true })
  status = 200
  speaks = false
  for (const id of ids) expect(await find(id)).toMatchObject({ ok: false })
})

test('an MCP server that is a command is started and greeted, as long as the operator allows it', async () => {
  vi.stubEnv('TUTTI_MCP_COMMANDS', 'node *')
  const byCommand = (name: string, ...args: string[]) =>
    agentBy(name, { type: 'mcp', command: 'node', args, tool: 'shout' })
  const good = await byCommand('greets', GREETS)
  const dead = await byCommand('dead', '-e', 'process.exit(1)')
  const mute = await byCommand('mute', '-e', 'setInterval(() => {}, 1000)')
  await look(good, { timeoutMs: 60_000 })
  await look(mute, { timeoutMs: 50 })
  expect(await find(good)).toEqual({ ok: true })
  for (const id of [dead, mute]) expect(await find(id)).toMatchObject({ ok: false })
  vi.stubEnv('TUTTI_MCP_COMMANDS', '')
  expect(await find(good)).toMatchObject({ ok: false, reason: expect.stringContaining('TUTTI_MCP_COMMANDS') })
  vi.unstubAllEnvs()
})

test('an agent by a connector is looked at where the connector leads, and fails where it leads nowhere', async () => {
  status = 200
  speaks = true
  const id = await agentBy('posts', { type: 'connector', connector: 'bridge', tool: 'post' })
  expect(await find(id)).toEqual({
    ok: false,
    reason: 'Nothing says how the connector "bridge" is called.',
  })
  await bind('bridge', { type: 'http', url: url() })
  expect(await find(id)).toEqual({ ok: true })
  await bind('bridge', { type: 'mcp', url: new URL('/nowhere', url()).href })
  expect(await find(id)).toMatchObject({ ok: false })
  await bind('bridge', { type: 'mcp', url: new URL('/mcp', url()).href })
  expect(await find(id)).toEqual({ ok: true })
})

test('whoever is called outside is looked at from now on, by a connector too', async () => {
  await watchNewAgents({ database: world.database })
  const watched = await world.database.readTenant<{ name: string }>(
    actor,
    `select a.name from agent a join agent_health h on h.organization_id = a.organization_id and h.id = a.id
     where a.organization_id = $1::uuid`,
    [actor.organizationId],
  )
  expect(watched.map(({ name }) => name)).toEqual(expect.arrayContaining(['plain', 'greets', 'posts']))
})
