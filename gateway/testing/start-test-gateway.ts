import { createHmac } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { type Actor, type Role, scopesOf } from '@tutti/schema'
import { type Client as SseClient, createClient as createSseClient } from 'graphql-sse'
import { type Client as SocketClient, type ClientOptions, createClient } from 'graphql-ws'
import { WebSocket } from 'ws'

import { createGateway, type Gateway, type GatewayOptions } from '../src/create-gateway.ts'
import { localSubgraph } from '../src/subgraph/local-subgraph.ts'
import type { SubgraphEndpoint } from '../src/subgraph/subgraph-endpoint.ts'
import { composeTestGraph } from './compose.ts'
import { createTestWorld, type TestWorld } from './test-world.ts'

export const TEST_SECRET = 'a secret of at least thirty-two bytes'
export const TEST_JWT = { issuer: 'https://issuer.test', audience: 'tutti', keys: { secret: TEST_SECRET } }

/** Keys are `tutti_<role>` or `tutti_<role>_<person>`, `tutti_<role>_<person>_<organization digit>`. */
export function testActor(role: Role, person: string = role, organization = '1'): Actor {
  return {
    organizationId: `00000000-0000-7000-8000-00000000000${organization}`,
    id: person,
    kind: 'person',
    name: person,
    roles: [role],
    scopes: scopesOf([role]),
  }
}

/** A JWT as `identify` of the test gateway understands it: `sub` is the role. */
export function testToken(
  claims: Record<string, unknown>,
  options: { secret?: string; alg?: string } = {},
): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1_000)
  const body = `${part({ alg: options.alg ?? 'HS256', typ: 'JWT' })}.${part({ iss: TEST_JWT.issuer, aud: TEST_JWT.audience, exp: now + 3_600, ...claims })}`
  if (options.alg === 'none') return `${body}.`
  return `${body}.${createHmac('sha256', options.secret ?? TEST_SECRET)
    .update(body)
    .digest('base64url')}`
}

/** A started gateway over in-memory subgraphs, with clients of all three transports. */
export interface TestGateway {
  gateway: Gateway
  world: TestWorld
  url: string
  wsUrl: string
  /** Keys that are no longer good. */
  revoked: Set<string>
  /** How often governance was asked who somebody is. */
  readonly identified: number
  /** What was masked. */
  masked: unknown[]
  post(query: string, options?: PostOptions): Promise<{ status: number; body: TestResult; text: string }>
  /** A stock graphql-ws client; its sockets are in `sockets`. */
  socketClient(key: string | null, options?: Partial<ClientOptions>): SocketClient & { sockets: WebSocket[] }
  sseClient(key: string): SseClient
  [Symbol.asyncDispose](): Promise<void>
}

export interface PostOptions {
  key?: string
  variables?: Record<string, unknown>
  headers?: Record<string, string>
}

export interface TestResult {
  data?: Record<string, unknown> | null
  errors?: { message: string; path?: (string | number)[]; extensions?: Record<string, unknown> }[]
  extensions?: Record<string, unknown>
}

/** Starts on a free port of the loopback; dispose it. */
export async function startTestGateway(
  options: Partial<GatewayOptions> & { world?: TestWorld; endpoints?: SubgraphEndpoint[] } = {},
): Promise<TestGateway> {
  const world = options.world ?? createTestWorld()
  const masked: unknown[] = []
  const revoked = new Set<string>()
  const clients: { dispose(): unknown }[] = []
  let identified = 0
  const gateway = await createGateway({
    supergraphSdl: composeTestGraph(),
    subgraphs:
      options.endpoints ??
      Object.entries(world.schemas).map(([name, schema]) =>
        localSubgraph({ name, schema, context: (actor) => ({ actor }) }),
      ),
    async identify(question) {
      identified += 1
      const name = question.kind !== 'jwt' ? question.secret : `tutti_${question.claims.sub}`
      if (revoked.has(name)) return null
      const [prefix, role, person, organization] = name.split('_')
      return prefix === 'tutti' && isRole(role) ? testActor(role, person, organization) : null
    },
    jwt: TEST_JWT,
    log: { error: (details) => masked.push(details) },
    ...options,
  })
  await gateway.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = gateway.app.server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  const wsUrl = `ws://127.0.0.1:${port}/graphql`
  return {
    gateway,
    world,
    url,
    wsUrl,
    masked,
    revoked,
    get identified() {
      return identified
    },
    async post(query, { key, variables, headers } = {}) {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
          ...headers,
        },
        body: JSON.stringify({ query, variables }),
      })
      const text = await response.text()
      return { status: response.status, text, body: JSON.parse(text) as TestResult }
    },
    socketClient(key, clientOptions = {}) {
      const sockets: WebSocket[] = []
      const client = createClient({
        url: wsUrl,
        webSocketImpl: class extends WebSocket {
          constructor(address: string, protocols: string[]) {
            super(address, protocols)
            sockets.push(this)
          }
        },
        connectionParams: key === null ? {} : { authorization: `Bearer ${key}` },
        retryAttempts: 0,
        ...clientOptions,
      })
      clients.push(client)
      return Object.assign(client, { sockets })
    },
    sseClient(key) {
      const client = createSseClient({
        url: `${url}/graphql/stream`,
        headers: { authorization: `Bearer ${key}` },
        retryAttempts: 0,
      })
      clients.push(client)
      return client
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) await client.dispose()
      await gateway.stop()
    },
  }
}

function isRole(role: string | undefined): role is Role {
  return role !== undefined && ['admin', 'operator', 'approver', 'viewer', 'agent'].includes(role)
}
