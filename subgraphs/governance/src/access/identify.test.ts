import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { ROLES, scopesOf, systemActor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { bootstrapDevelopment, DEVELOPMENT_ORGANIZATION } from './bootstrap-development.ts'
import { identify } from './identify.ts'
import { newSecret } from './key-secret.ts'
import { writeApiKey } from './write-api-key.ts'

let world: TestDatabase
beforeAll(async () => {
  world = await openTestDatabase()
})
afterAll(() => world[Symbol.asyncDispose]())

const identifyKey = (secret: string) => identify(world, { kind: 'api_key', secret })

async function keyFor(organizationId: string, expiresAt: Date | null = null): Promise<string> {
  const { secret } = await world.database.inTenant(systemActor(organizationId, 'test'), (tx) =>
    writeApiKey(tx, { principalName: 'Ada', kind: 'person', roles: ['operator', 'approver'], expiresAt }),
  )
  return secret
}

test('concurrent first starts make one development organization, and one of them gets the keys', async () => {
  const made = await Promise.all(Array.from({ length: 4 }, () => bootstrapDevelopment(world)))
  expect(made.filter((each) => each.created)).toHaveLength(1)
  const keys = made.find((each) => each.created)?.keys
  expect(Object.keys(keys ?? {}).sort()).toEqual([...ROLES].sort())
  for (const role of ROLES) {
    const actor = await identifyKey(keys?.[role] ?? '')
    expect(actor).toMatchObject({
      organizationId: DEVELOPMENT_ORGANIZATION,
      roles: [role],
      scopes: scopesOf([role]),
      kind: role === 'agent' ? 'agent' : 'person',
    })
  }
  expect(await bootstrapDevelopment(world)).toEqual({
    created: false,
    organizationId: DEVELOPMENT_ORGANIZATION,
  })
})

test('only the hash of a secret is stored', async () => {
  const { organizationId } = await world.organization()
  const secret = await keyFor(organizationId)
  const rows = await world.database.readTenant(
    systemActor(organizationId, 'test'),
    'select to_jsonb(k)::text as row from api_key k',
  )
  expect(secret).toMatch(/^tutti_[A-Za-z0-9_-]{43}$/)
  expect(JSON.stringify(rows)).not.toContain(secret.slice(20))
})

test.each([
  ['a wrong one', newSecret()],
  ['an empty one', ''],
  ['one of another form', 'tutti_1'],
  ['one that tries SQL', `tutti_' or '1'='1`],
  ['one with a NUL', `tutti_${'a'.repeat(42)}\0`],
])('%s is nobody', async (_, secret) => {
  expect(await identifyKey(secret)).toBeNull()
})

test('an expired key is nobody', async () => {
  const { organizationId } = await world.organization()
  expect(await identifyKey(await keyFor(organizationId, new Date(Date.now() - 1)))).toBeNull()
})

test('a key that will expire says when', async () => {
  const { organizationId } = await world.organization()
  const end = new Date(Date.now() + 3_600_000)
  expect(await identifyKey(await keyFor(organizationId, end))).toMatchObject({ expiresAt: end.getTime() })
})

test('the use of a key is noted, and not again within a minute', async () => {
  const { organizationId } = await world.organization()
  const secret = await keyFor(organizationId)
  const lastUsed = async () =>
    (
      await world.database.readTenant<{ at: Date | null }>(
        systemActor(organizationId, 'test'),
        'select last_used_at as at from api_key',
      )
    )[0]?.at ?? null
  await identifyKey(secret)
  await vi.waitFor(async () => expect(await lastUsed()).not.toBeNull())
  const first = await lastUsed()
  await identifyKey(secret)
  expect(await lastUsed()).toEqual(first)
})

test('verified claims become an actor of an organization that exists, with the roles we know', async () => {
  const { organizationId } = await world.organization()
  const claims = { org: organizationId, sub: 'ada', name: 'Ada', roles: ['approver', 'emperor'], exp: 2e9 }
  expect(await identify(world, { kind: 'jwt', claims })).toEqual({
    organizationId,
    id: 'ada',
    kind: 'person',
    name: 'Ada',
    roles: ['approver'],
    scopes: scopesOf(['approver']),
    expiresAt: 2e12,
  })
})

test('claims that cannot be stored are nobody’s, and such a name is none', async () => {
  const { organizationId } = await world.organization()
  const identified = (claims: object) =>
    identify(world, { kind: 'jwt', claims: { org: organizationId, ...claims } })
  expect(await identified({ sub: 'a\0b' })).toBeNull()
  expect(await identified({ sub: 'a', name: 'A\0' })).toMatchObject({ id: 'a', name: 'a' })
  expect(await identified({ sub: 'a', name: 'A' })).toMatchObject({ name: 'A' })
  // One that says no name is called as before.
  expect(await identified({ sub: 'a' })).toMatchObject({ name: 'A' })
})

test('claims of somebody who is known are theirs, with what is assigned to them besides the claims', async () => {
  const { organizationId } = await world.organization()
  const [issuer, subject] = ['https://login.example.com', 'ada']
  const asker = systemActor(organizationId, 'test')
  const [ada, deputy] = await world.database.inTenant(asker, async (tx) => {
    const [{ id } = expect.unreachable()] = await tx.sql<{ id: string }>(
      `insert into principal (organization_id, kind, name, roles, groups, issuer, subject)
       values ($1::uuid, 'person', 'Ada Lovelace', '{admin}', '{on-call}', $2, $3) returning id`,
      organizationId,
      issuer,
      subject,
    )
    const [group = expect.unreachable()] = await tx.sql<{ id: string }>(
      `insert into access_group (organization_id, name, description) values ($1::uuid, 'on-call', 'd') returning id`,
      organizationId,
    )
    await tx.sql(
      `insert into access_role (organization_id, name, description, scopes, updated_by)
       values ($1::uuid, 'deputy', 'd', '{audit:read}', '{}') returning id`,
      organizationId,
    )
    const [{ id: assignment } = expect.unreachable()] = await tx.sql<{ id: string }>(
      `insert into role_assignment (organization_id, group_id, role, granted_by)
       values ($1::uuid, $2::uuid, 'deputy', '{}') returning id`,
      organizationId,
      group.id,
    )
    return [id, assignment]
  })
  const viewer = ['viewer']
  const identified = (more: object) =>
    identify(world, { kind: 'jwt', claims: { org: organizationId, name: 'A.', roles: viewer, ...more } })
  const who = { id: ada, name: 'Ada Lovelace', kind: 'person', roles: viewer }
  const scopes = [...scopesOf(['viewer']), 'audit:read'].sort()
  expect(await identified({ iss: issuer, sub: subject })).toMatchObject({ ...who, scopes })
  expect(await identified({ sub: ada })).toMatchObject({ ...who, scopes })
  // The same name at somebody else's provider is somebody else.
  expect(await identified({ iss: 'https://other.example.com', sub: subject })).toMatchObject({
    id: subject,
    name: 'A.',
    scopes: scopesOf(['viewer']),
  })
  const changes = [
    [
      'update role_assignment set revoked_at = now() where organization_id = $1::uuid and id = $2::uuid',
      deputy,
    ],
    ['update principal set deactivated_at = now() where organization_id = $1::uuid and id = $2::uuid', ada],
  ] as const
  const after: unknown[] = []
  for (const [statement, id] of changes) {
    await world.database.inTenant(asker, (tx) => tx.sql(`${statement} returning id`, organizationId, id))
    after.push((await identified({ iss: issuer, sub: subject }))?.scopes ?? null)
  }
  expect(after).toEqual([scopesOf(['viewer']), null])
})

test.each([
  ['an unknown organization', { organization_id: '00000000-0000-7000-8000-00000000ffff', sub: 'ada' }],
  ['no organization', { sub: 'ada' }],
  ['something else than an id', { org: "x'; drop table run; --", sub: 'ada' }],
  ['no subject', { org: DEVELOPMENT_ORGANIZATION }],
])('claims with %s are nobody', async (_, claims) => {
  expect(await identify(world, { kind: 'jwt', claims })).toBeNull()
})
