import { createHmac, generateKeyPairSync, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { exportJWK, type JWTPayload, SignJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Answer, codesOf, openCaller } from '../world/caller.ts'
import type { Organization } from '../world/organization.ts'
import { startWorld, type World } from '../world/start-world.ts'

const ISSUER = 'https://login.example.com'
const AUDIENCE = 'tutti'
const ours = generateKeyPairSync('rsa', { modulusLength: 2048 })
const theirs = generateKeyPairSync('rsa', { modulusLength: 2048 })
const publicPem = ours.publicKey.export({ type: 'spki', format: 'pem' }).toString()
const keys = createServer((_request, response) => {
  void exportJWK(ours.publicKey).then((jwk) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ keys: [{ ...jwk, kid: 'one', alg: 'RS256', use: 'sig' }] }))
  })
})

let world: World
let org: Organization
beforeAll(async () => {
  keys.listen(0, '127.0.0.1')
  await once(keys, 'listening')
  const jwksUrl = `http://127.0.0.1:${(keys.address() as AddressInfo).port}/jwks.json`
  world = await startWorld({ jwt: { issuer: ISSUER, audience: AUDIENCE, keys: { jwksUrl } } })
  org = await world.organization()
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  keys.closeAllConnections()
  keys.close()
})

const now = () => Math.floor(Date.now() / 1_000)
const claims = (more: JWTPayload = {}): JWTPayload => ({
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'ada@example.com',
  name: 'Ada',
  org: org.id,
  roles: ['operator'],
  exp: now() + 3_600,
  ...more,
})
const signed = (more: JWTPayload = {}, by = ours): Promise<string> =>
  new SignJWT(claims(more)).setProtectedHeader({ alg: 'RS256', kid: 'one' }).sign(by.privateKey)
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const forged = (header: object, sign: (body: string) => string): string => {
  const body = `${part(header)}.${part(claims())}`
  return `${body}.${sign(body)}`
}

async function send(token: string, query: string): Promise<Answer> {
  const caller = openCaller(world.url, token)
  try {
    return await caller.send(query)
  } finally {
    await caller.close()
  }
}

test('a token of the identity provider is its bearer, in its organization, with its roles', async () => {
  const { body } = await send(await signed(), '{ viewer { id name kind roles } }')
  expect(body).toEqual({
    data: { viewer: { id: 'ada@example.com', name: 'Ada', kind: 'person', roles: ['operator'] } },
  })
})

test('its roles bound it: a viewer reads and does not start, whatever else the token says', async () => {
  const token = await signed({ roles: ['viewer', 'emperor'], scopes: ['runs:write'], scope: 'runs:write' })
  expect((await send(token, '{ runs(first: 1) { nodes { id } } }')).body).toEqual({
    data: { runs: { nodes: [] } },
  })
  const start = await send(
    token,
    'mutation { startRun(input: { workflowName: "x", input: {} }) { created } }',
  )
  expect([start.status, codesOf(start)]).toEqual([403, ['FORBIDDEN']])
})

test('a bearer whom the organization knows has what is assigned to them, until it is taken back', async () => {
  const { id: sub } = org.actor('viewer')
  const token = await signed({ sub, roles: ['viewer'] })
  const order =
    'mutation { contain(input: { scope: DOMAIN, reason: "r", id: "none" }) { containment { id } } }'
  const admin = org.as('admin')
  const { assignRole } = await admin.query<{ assignRole: { assignment: { id: string } } }>(
    `mutation($id: ID!) { assignRole(input: { role: "operator", principalId: $id }) { assignment { id } } }`,
    { id: sub },
  )
  const { body } = await send(token, '{ viewer { id name roles } }')
  expect(body).toEqual({
    data: { viewer: { id: sub, name: org.actor('viewer').name, roles: ['operator', 'viewer'] } },
  })
  expect(codesOf(await send(token, order))).toEqual(['NOT_FOUND'])
  await admin.query('mutation($id: ID!) { revokeAssignment(input: { id: $id }) { assignment { id } } }', {
    id: assignRole.assignment.id,
  })
  await expect.poll(async () => codesOf(await send(token, order)), { timeout: 10_000 }).toEqual(['FORBIDDEN'])
})

test('its organization bounds it: another one’s records do not exist', async () => {
  const other = await world.organization('another')
  const read = '{ apiKeys { principalName } }'
  const mine = await send(await signed({ roles: ['admin'] }), read)
  const theirsOnly = await send(await signed({ roles: ['admin'], org: other.id }), read)
  expect(mine.text).toContain('of organization')
  expect(mine.text).not.toContain('of another')
  expect(theirsOnly.text).toContain('of another')
  expect(theirsOnly.text).not.toContain('of organization')
})

test('whatever is wrong with a token, the answer is the same', async () => {
  const wrong: Record<string, string | Promise<string>> = {
    'no signature': forged({ alg: 'none' }, () => ''),
    'no signature, spelt otherwise': forged({ alg: 'NoNe', kid: 'one' }, () => ''),
    'the public key as an HMAC secret': forged({ alg: 'HS256', kid: 'one' }, (body) =>
      createHmac('sha256', publicPem).update(body).digest('base64url'),
    ),
    'somebody else’s key': signed({}, theirs),
    'a key the provider does not have': new SignJWT(claims())
      .setProtectedHeader({ alg: 'RS256', kid: 'two' })
      .sign(theirs.privateKey),
    expired: signed({ exp: now() - 60 }),
    'not yet valid': signed({ nbf: now() + 600 }),
    'another audience': signed({ aud: 'somebody-else' }),
    'another issuer': signed({ iss: 'https://elsewhere.example.com' }),
    'an organization that there is not': signed({ org: randomUUID() }),
    'an organization that is no id': signed({ org: `${org.id}' or true --` }),
    'no organization': signed({ org: undefined }),
    nobody: signed({ sub: '' }),
    'no token': 'a.b.c',
  }
  const answers = new Map<string, string[]>()
  for (const [what, token] of Object.entries(wrong)) {
    const { status, text } = await send(await token, '{ viewer { id } }')
    const key = `${status} ${text}`
    answers.set(key, [...(answers.get(key) ?? []), what])
  }
  expect([...answers.values()]).toEqual([Object.keys(wrong)])
  expect([...answers.keys()][0]).toMatch(/^401 .*"UNAUTHENTICATED"/)
})

test('keys that cannot be had are no fault of the token: it may be sent again', async () => {
  await using lost = await startWorld({
    jwt: { issuer: ISSUER, audience: AUDIENCE, keys: { jwksUrl: 'http://127.0.0.1:1/' } },
  })
  const caller = openCaller(lost.url, await signed())
  const answer = await caller.send('{ viewer { id } }')
  await caller.close()
  expect([answer.status, codesOf(answer)]).toEqual([503, ['UNAVAILABLE']])
})
