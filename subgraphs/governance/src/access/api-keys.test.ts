import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { internalCalls } from '../internal-calls.ts'
import { colleague, openWorld, type World } from '../testing/open-world.ts'

let world: World
let admin: Actor

beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())
beforeEach(async () => {
  admin = await world.organization()
})

const CREATE = `mutation ($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { secret apiKey { id prefix principalName roles revokedAt } }
}`
const REVOKE = `mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { apiKey { id revokedAt } } }`
const create = async (input: object) => {
  const { data, code, extensions } = await world.ask(admin, CREATE, { input })
  const made = data['createApiKey'] as { secret: string; apiKey: { id: string; prefix: string } } | undefined
  return { secret: made?.secret ?? '', id: made?.apiKey.id ?? '', made, code, extensions }
}
const identify = (secret: string) =>
  internalCalls(world)['/internal/identify']({ kind: 'api_key', secret }) as Promise<Actor | null>

test('a new key opens the doors of its roles until it is taken back, at once', async () => {
  const { secret, id, made } = await create({ principalName: 'Ada', roles: ['operator', 'approver'] })
  expect(made?.apiKey).toMatchObject({
    principalName: 'Ada',
    roles: ['approver', 'operator'],
    revokedAt: null,
  })
  expect(secret.startsWith(made?.apiKey.prefix ?? '-')).toBe(true)
  const actor = await identify(secret)
  expect(actor).toMatchObject({
    organizationId: admin.organizationId,
    name: 'Ada',
    kind: 'person',
    credentialId: id,
  })
  const { data } = await world.ask(actor, '{ viewer { id name roles scopes } }')
  expect(data['viewer']).toMatchObject({ id: actor?.id, roles: ['operator', 'approver'] })

  expect((await world.ask(admin, REVOKE, { input: { id } })).code).toBeNull()
  expect(await identify(secret)).toBeNull()
  const again = await world.ask(admin, REVOKE, { input: { id } })
  expect(again.code).toBeNull()
  expect((await world.events(admin, 'credential.revoked')).map((event) => event.data)).toEqual([
    { credentialId: id },
  ])
})

test('two keys of one name are one principal, and a key cannot change what the other may', async () => {
  const first = await create({ principalName: 'Ada', roles: ['viewer'] })
  const second = await create({ principalName: 'Ada', roles: ['viewer', 'viewer'] })
  expect((await identify(first.secret))?.id).toBe((await identify(second.secret))?.id)
  expect((await create({ principalName: 'Ada', roles: ['admin'] })).code).toBe('CONFLICT')
  expect((await create({ principalName: 'Ada', kind: 'agent', roles: ['viewer'] })).code).toBe('CONFLICT')
})

test('all mistakes of a new key are told at once', async () => {
  const { code, extensions } = await create({
    principalName: '',
    kind: 'emperor',
    roles: ['viewer', 'emperor'],
    expiresAt: '2001-01-01T00:00:00Z',
  })
  expect(code).toBe('BAD_INPUT')
  const problems = extensions['problems'] as { path: string }[]
  expect(problems.map((problem) => problem.path)).toEqual([
    'input.principalName',
    'input.kind',
    'input.roles.1',
    'input.expiresAt',
  ])
})

test.each(['operator', 'approver', 'viewer', 'agent'] as const)('a %s manages no keys', async (role) => {
  const actor = colleague(admin, role)
  const input = { principalName: 'Eve', roles: ['admin'] }
  expect((await world.ask(actor, CREATE, { input })).code).toBe('FORBIDDEN')
  expect((await world.ask(actor, '{ apiKeys { id } }')).code).toBe('FORBIDDEN')
})

test('a denial that the gateway met stands in the audit trail under the one who was denied', async () => {
  const viewer = colleague(admin, 'viewer')
  await internalCalls(world)['/internal/denial']({
    actor: viewer,
    denial: { action: 'Mutation.startRun', reason: 'Needs runs:start.' },
  })
  const { data } = await world.ask(
    admin,
    '{ auditEntries(actionType: "denial") { nodes { actorId summary subject details } } }',
  )
  expect(data['auditEntries']?.['nodes']).toMatchObject([
    {
      actorId: viewer.id,
      summary: 'Mutation.startRun was refused to viewer.',
      subject: 'operation/Mutation.startRun',
      details: { decision: 'denied', outcome: 'FORBIDDEN', reasoning: 'Needs runs:start.' },
    },
  ])
})

test('what is no credential is nobody', async () => {
  expect(await internalCalls(world)['/internal/identify']({ kind: 'wish' })).toBeNull()
  expect(await internalCalls(world)['/internal/identify'](null)).toBeNull()
})
