import { type Actor, ROLES, scopesOf } from '@tutti/schema'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { colleague, openWorld, type World } from '../testing/open-world.ts'
import { askAsDirectory } from '../testing/ask-as-directory.ts'
import { startSession } from '../sessions/start-session.ts'
import { identify } from './identify.ts'

let world: World
let admin: Actor

beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())
beforeEach(async () => {
  admin = await world.organization()
})

const DOCUMENTS = {
  createApiKey: 'CreateApiKeyInput! secret apiKey { id principalName scopes expiresAt }',
  rotateApiKey: 'RotateApiKeyInput! secret graceUntil apiKey { id prefix scopes expiresAt }',
  revokeApiKey: 'RevokeApiKeyInput! apiKey { id }',
  setRole: 'SetRoleInput! role { name version scopes builtIn }',
  setGroup: 'SetGroupInput! group { id name members { name } }',
  assignRole: 'AssignRoleInput! assignment { id role principalName groupName expiresAt }',
  revokeAssignment: 'RevokeAssignmentInput! assignment { id revokedAt }',
  deactivatePrincipal: 'DeactivatePrincipalInput! principal { active }',
  reactivatePrincipal: 'ReactivatePrincipalInput! principal { active }',
  setIdentityProvider: 'SetIdentityProviderInput! identityProvider { id }',
  removeIdentityProvider: 'RemoveIdentityProviderInput! id',
} as const

/** Calls a mutation; its answer, or the error's code, hint and path. */
async function call(name: keyof typeof DOCUMENTS, input: object, actor = admin) {
  const [type, ...selection] = DOCUMENTS[name].split(' ')
  const { data, code, extensions } = await world.ask(
    actor,
    `mutation ($input: ${type}) { ${name}(input: $input) { ${selection.join(' ')} } }`,
    { input },
  )
  // Whatever the mutation answers with: the tests compare it.
  return { ...Object(data[name]), code, hint: extensions['hint'], argument: extensions['argument'] }
}
const known = (secret: string): Promise<Actor | null> => identify(world, { kind: 'api_key', secret })
async function person(name: string, roles: string[] = ['viewer'], more: object = {}) {
  const made = await call('createApiKey', { principalName: name, roles, ...more })
  const actor = await known(made.secret)
  if (!actor) throw new Error(`The key of ${name} opens nothing.`)
  return { actor, secret: String(made.secret), keyId: String(made.apiKey.id), id: actor.id }
}
/** Lets a moment pass without waiting for it. */
const over = (table: 'api_key' | 'role_assignment', id: string) =>
  world.asOwner(`update ${table} set expires_at = clock_timestamp() where id = $1`, [id])

test('a key with scopes opens these alone, and no more than its roles grant', async () => {
  const { actor } = await person('ci', ['operator'], { scopes: ['runs:start', 'runs:read'] })
  expect(actor.scopes).toEqual(['runs:read', 'runs:start'])
  const beyond = { principalName: 'ci', roles: ['operator'], scopes: ['access:manage', 'runs:read'] }
  expect(await call('createApiKey', beyond)).toMatchObject({ code: 'BAD_INPUT', argument: 'input.scopes' })
  expect(await call('createApiKey', { ...beyond, scopes: ['fly'] })).toMatchObject({
    code: 'BAD_INPUT',
    argument: 'input.scopes.0',
  })
  expect(await call('createApiKey', { ...beyond, scopes: [] })).toMatchObject({ code: 'BAD_INPUT' })
})

test('a rotated key has a new secret; the old one opens for the grace period, then nothing', async () => {
  const { secret, keyId, actor } = await person('ci', ['operator'], { scopes: ['runs:start'] })
  const rotated = await call('rotateApiKey', { id: keyId, graceSeconds: 600 })
  expect(rotated.code).toBeNull()
  expect(await known(rotated.secret)).toMatchObject({ id: actor.id, scopes: ['runs:start'] })
  expect(await known(secret)).toMatchObject({ expiresAt: Date.parse(rotated.graceUntil) })
  await over('api_key', keyId)
  expect(await known(secret)).toBeNull()
  expect(await known(rotated.secret)).not.toBeNull()
  expect(await call('rotateApiKey', { id: keyId })).toMatchObject({ code: 'INVALID_STATE' })
  expect(await world.events(admin, 'credential.replaced')).toMatchObject([
    { data: { credentialId: keyId, newCredentialId: rotated.apiKey.id } },
  ])
})

test('a grace of nothing ends the old key at once, and one never outlives its own end', async () => {
  const first = await person('a')
  await call('rotateApiKey', { id: first.keyId, graceSeconds: 0 })
  expect(await known(first.secret)).toBeNull()
  const expiresAt = new Date(Date.now() + 60_000).toISOString()
  const second = await person('b', ['viewer'], { expiresAt })
  const rotated = await call('rotateApiKey', { id: second.keyId, graceSeconds: 3_600 })
  expect(rotated).toMatchObject({ graceUntil: expiresAt, apiKey: { expiresAt } })
  expect(await call('rotateApiKey', { id: second.keyId, graceSeconds: -1 })).toMatchObject({
    code: 'BAD_INPUT',
    argument: 'input.graceSeconds',
  })
})

test('a role of the organization grants what it says to whoever has it, and what it says next at once', async () => {
  const { secret, id } = await person('Ada')
  const role = { name: 'release-manager', description: 'Ships.', scopes: ['workflows:write', 'runs:start'] }
  expect(await call('setRole', role)).toMatchObject({ code: null, role: { version: 1, builtIn: false } })
  expect(await call('setRole', role)).toMatchObject({ role: { version: 1 } })
  const { assignment } = await call('assignRole', { role: role.name, principalId: id })
  const viewer = scopesOf(['viewer'])
  expect((await known(secret))?.scopes).toEqual([...viewer, 'runs:start', 'workflows:write'].sort())
  expect(await call('setRole', { ...role, scopes: ['runs:start'] })).toMatchObject({ role: { version: 2 } })
  expect((await known(secret))?.scopes).toEqual([...viewer, 'runs:start'].sort())
  await call('revokeAssignment', { id: assignment.id })
  expect((await known(secret))?.scopes).toEqual(viewer)
  expect((await world.events(admin, 'role.set')).map(({ data }) => data['version'])).toEqual([1, 2])
})

test('all mistakes of a role are told at once; a built-in name is taken', async () => {
  const { data, extensions } = await world.ask(
    admin,
    'mutation ($input: SetRoleInput!) { setRole(input: $input) { role { name } } }',
    { input: { name: 'admin', description: '', scopes: ['runs:read', 'fly'] } },
  )
  expect(data).toEqual({})
  expect(extensions['problems']).toMatchObject([
    { path: 'input.name', message: 'A built-in role is of this name.' },
    { path: 'input.description' },
    { path: 'input.scopes.1', message: 'There is no scope "fly".' },
  ])
})

test('an assignment with an end says when, and is nothing afterwards', async () => {
  const { secret, id } = await person('Ada')
  const expiresAt = new Date(Date.now() + 60_000).toISOString()
  const { assignment } = await call('assignRole', { role: 'approver', principalId: id, expiresAt })
  expect(await known(secret)).toMatchObject({
    validUntil: Date.parse(expiresAt),
    roles: ['approver', 'viewer'],
  })
  await over('role_assignment', assignment.id)
  const after = await known(secret)
  expect(after).toMatchObject({ roles: ['viewer'], scopes: scopesOf(['viewer']) })
  expect(after).not.toHaveProperty('validUntil')
})

test('a group’s members have what the group has, for as long as they are in it', async () => {
  const [ada, bob] = [await person('Ada'), await person('Bob')]
  const { group } = await call('setGroup', { name: 'on-call', memberIds: [ada.id] })
  expect(group.members).toEqual([{ name: 'Ada' }])
  await call('assignRole', { role: 'operator', groupId: group.id })
  expect((await known(ada.secret))?.roles).toEqual(['operator', 'viewer'])
  expect((await known(bob.secret))?.roles).toEqual(['viewer'])
  await call('setGroup', { name: 'on-call', memberIds: [bob.id] })
  expect((await known(ada.secret))?.roles).toEqual(['viewer'])
  expect((await known(bob.secret))?.roles).toEqual(['operator', 'viewer'])
  expect((await world.events(admin, 'group.set')).at(-1)?.data).toMatchObject({
    added: [bob.id],
    removed: [ada.id],
  })
  const stranger = await world.organization()
  expect(await call('setGroup', { name: 'on-call', memberIds: [ada.id] }, stranger)).toMatchObject({
    code: 'NOT_FOUND',
    argument: 'input.memberIds.0',
  })
})

test('what is held in one team or domain only is no scope of everywhere', async () => {
  const { secret, id } = await person('Ada')
  const [team] = await world.asOwner(
    `with d as (insert into domain (organization_id, name) values ($1, 'sales') returning id)
     insert into team (organization_id, domain_id, name) select $1, id, 'east' from d returning id, domain_id as domain`,
    [admin.organizationId],
  )
  await call('assignRole', { role: 'operator', principalId: id, teamId: team?.['id'] })
  const actor = await known(secret)
  expect(actor).toMatchObject({
    roles: ['viewer'],
    scopes: scopesOf(['viewer']),
    within: [{ teamId: team?.['id'], domainId: null, scopes: scopesOf(['operator']) }],
  })
  expect(await call('assignRole', { role: 'viewer', principalId: id, teamId: id })).toMatchObject({
    code: 'NOT_FOUND',
    argument: 'input.teamId',
  })
})

test('nobody grants what they do not have: by a key, a role, an assignment, a group or a rotation', async () => {
  const role = { name: 'ship', description: 'Ships.', scopes: ['runs:read'] }
  await call('setRole', role)
  const clerk = await person('Clerk', ['admin'], { scopes: ['access:manage', ...scopesOf(['viewer'])] })
  const acting = clerk.actor
  const boss = await person('Boss', ['admin'])
  const { group } = await call('setGroup', { name: 'bosses', memberIds: [boss.id] })
  await call('assignRole', { role: 'admin', groupId: group.id })

  const refused = (answer: object) =>
    expect(answer).toMatchObject({ code: 'FORBIDDEN', hint: expect.stringContaining('runs:control') })
  refused(await call('createApiKey', { principalName: 'x', roles: ['admin'] }, acting))
  refused(await call('createApiKey', { principalName: 'Boss', roles: ['admin'] }, acting))
  refused(await call('setRole', { ...role, scopes: ['runs:control'] }, acting))
  refused(await call('assignRole', { role: 'operator', principalId: clerk.id }, acting))
  refused(await call('setGroup', { name: 'bosses', memberIds: [boss.id, clerk.id] }, acting))
  refused(await call('rotateApiKey', { id: boss.keyId }, acting))
  // By an assignment beside its own roles as well: a key of it would open that too.
  await call('assignRole', { role: 'admin', principalId: (await person('Quiet')).id })
  refused(await call('createApiKey', { principalName: 'Quiet', roles: ['viewer'] }, acting))

  expect(await call('createApiKey', { principalName: 'y', roles: ['viewer'] }, acting)).toMatchObject({
    code: null,
  })
  expect((await known(clerk.secret))?.scopes).not.toContain('runs:control')
  const { data } = await world.ask(
    admin,
    '{ auditEntries(actionType: "denial") { nodes { actorId subject outcome } } }',
  )
  const of = (mutation: string) => ({
    actorId: clerk.id,
    subject: `operation/Mutation.${mutation}`,
    outcome: 'FORBIDDEN',
  })
  expect(Object(data['auditEntries'])['nodes'].toReversed()).toEqual(
    ['createApiKey', 'createApiKey', 'setRole', 'assignRole', 'setGroup', 'rotateApiKey', 'createApiKey'].map(
      of,
    ),
  )
  expect(await call('setRole', { ...role, scopes: ['runs:read', 'agents:read'] }, acting)).toMatchObject({
    code: null,
  })
})

test('who manages access and no more cannot say who somebody is, as a directory does', async () => {
  const clerk: Actor = {
    ...colleague(admin, 'viewer'),
    scopes: [...scopesOf(['viewer']), 'access:manage', 'access:provision'],
  }
  const provider = (name: string, more: object = { directoryClaim: 'oid' }) => ({
    issuer: `https://${name}.example.com`,
    clientId: 'tutti',
    clientSecret: 'a-secret-of-a-client',
    ...more,
  })
  const logIn = async (id: string, sub: string) => {
    const started = await startSession(world, admin.organizationId, id, { sub, oid: 'ext-1' })
    return identify(world, { kind: 'session', secret: started && 'token' in started ? started.token : '' })
  }
  const directory = (method: 'POST' | 'DELETE', path: string, body: object | null = null) =>
    askAsDirectory(world, admin, method, path, body)
  const user = {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    userName: 'boss@example.com',
    externalId: 'ext-1',
  }
  const made = await directory('POST', 'Users', user)
  const boss = String(made.body?.['id'])
  expect(await call('assignRole', { role: 'admin', principalId: boss })).toMatchObject({ code: null })
  expect(await call('setIdentityProvider', provider('evil'), clerk)).toMatchObject({
    code: 'FORBIDDEN',
    argument: 'input.directoryClaim',
    hint: expect.stringContaining('runs:start'),
  })
  expect(await call('setIdentityProvider', provider('evil', {}), clerk)).toMatchObject({ code: null })
  const key = { principalName: 'scim', kind: 'integration', roles: ['admin'], scopes: ['access:provision'] }
  expect(await call('createApiKey', key, clerk)).toMatchObject({
    code: 'FORBIDDEN',
    argument: 'input.scopes',
  })
  const role = { name: 'directory', description: 'Keeps people.', scopes: ['access:provision'] }
  expect(await call('setRole', role, clerk)).toMatchObject({ code: 'FORBIDDEN' })

  const theirs = (await call('setIdentityProvider', provider('login'))).identityProvider.id
  expect(await logIn(theirs, 'm')).toMatchObject({ id: boss, roles: ['admin'] })
  // Neither by a provider in its place, until the directory makes them anew.
  await call('removeIdentityProvider', { id: theirs })
  const next = (await call('setIdentityProvider', provider('next'))).identityProvider.id
  expect(await logIn(next, 'n')).toMatchObject({ roles: [] })
  expect(await directory('DELETE', `Users/${boss}`)).toMatchObject({ status: 204 })
  expect(await directory('POST', 'Users', user)).toMatchObject({ status: 201, body: { id: boss } })
  expect(await logIn(next, 'o')).toMatchObject({ id: boss })
})

test('who sets an identity provider raises nobody above themselves by it, and gives themselves nothing', async () => {
  const login = (mapping: object[], more: object = {}) => ({
    issuer: 'https://login.example.com',
    clientId: 'tutti',
    clientSecret: 'a-secret-of-a-client',
    mapping,
    ...more,
  })
  const logIn = async (providerId: string, sub: string, groups: string[]) => {
    const started = await startSession(world, admin.organizationId, providerId, { sub, groups })
    const secret = started && 'token' in started ? started.token : ''
    const actor = await identify(world, { kind: 'session', secret })
    if (!actor) throw new Error('Nobody has logged in.')
    const [row] = await world.asOwner('select groups from principal where id = $1', [actor.id])
    return { actor, groups: row?.['groups'] }
  }
  const { group } = await call('setGroup', { name: 'finance', memberIds: [] })
  const plain = [
    { claimed: 'platform', role: 'admin' },
    { claimed: 'staff', role: 'operator' },
  ]
  const { identityProvider } = await call('setIdentityProvider', login(plain))
  const ada = await logIn(identityProvider.id, 'ada', ['platform'])

  const clerk: Actor = { ...ada.actor, scopes: [...scopesOf(['viewer']), 'access:manage'] }
  await call('assignRole', { role: 'operator', groupId: group.id })
  for (const mapping of [[{ claimed: 'x', role: 'operator' }], [{ claimed: 'x', group: 'finance' }]])
    expect(await call('setIdentityProvider', login(mapping), clerk)).toMatchObject({
      code: 'FORBIDDEN',
      hint: expect.stringContaining('runs:start'),
    })

  const more = [...plain, { claimed: 'money', role: 'approver' }, { claimed: 'money', group: 'finance' }]
  const raised = login(more, { defaultRole: 'viewer' })
  expect(await call('setIdentityProvider', raised, ada.actor)).toMatchObject({ code: null })
  const claimed = ['platform', 'money']
  expect(await logIn(identityProvider.id, 'ada', claimed)).toMatchObject({
    actor: { id: ada.actor.id, roles: ['admin'] },
    groups: [],
  })
  const bob = await logIn(identityProvider.id, 'bob', claimed)
  expect(bob).toMatchObject({
    actor: { roles: ['admin', 'operator', 'approver', 'viewer'] },
    groups: ['finance'],
  })
  const { data } = await world.ask(
    admin,
    '{ auditEntries(actionType: "denial") { nodes { actorId subject outcome details } } }',
  )
  const refusal = {
    actorId: ada.actor.id,
    subject: 'operation/Mutation.setIdentityProvider',
    outcome: 'FORBIDDEN',
  }
  expect(Object(data['auditEntries'])['nodes']).toMatchObject([
    {
      subject: 'operation/Login',
      outcome: 'SEPARATION_OF_DUTIES',
      details: {
        context: { principalId: ada.actor.id, roles: ['viewer', 'approver'], groups: ['finance'] },
      },
    },
    refusal,
    refusal,
  ])
  // Said again by somebody else it is theirs too.
  await call('setIdentityProvider', raised, bob.actor)
  expect(await logIn(identityProvider.id, 'ada', claimed)).toMatchObject({
    actor: { roles: ['admin', 'operator', 'approver', 'viewer'] },
    groups: ['finance'],
  })
})

test('the last administrator stays, whichever way they would go, also when two remove each other at once', async () => {
  const boss = await person('Boss', ['admin'])
  expect(await call('revokeApiKey', { id: boss.keyId })).toMatchObject({ code: 'INVALID_STATE' })
  const [ada, bob] = [await person('Ada'), await person('Bob')]
  const { group } = await call('setGroup', { name: 'admins', memberIds: [ada.id, bob.id] })
  const { assignment } = await call('assignRole', { role: 'admin', groupId: group.id })
  expect(await call('revokeApiKey', { id: boss.keyId })).toMatchObject({ code: null })
  expect(await call('setGroup', { name: 'admins', memberIds: [] })).toMatchObject({ code: 'INVALID_STATE' })
  expect(await call('revokeAssignment', { id: assignment.id })).toMatchObject({ code: 'INVALID_STATE' })
  const both = await Promise.all([ada, bob].map(({ keyId }) => call('revokeApiKey', { id: keyId })))
  expect(both.map(({ code }) => String(code)).toSorted()).toEqual(['INVALID_STATE', 'null'])
})

test('a group is set while its members are deactivated, and both are done', async () => {
  const ids = [(await person('a')).id, (await person('b')).id, (await person('c')).id]
  for (const name of ['one', 'two']) {
    const done = await Promise.all([
      ...ids.map((id) => call('deactivatePrincipal', { id })),
      call('setGroup', { name, memberIds: ids.toReversed() }),
    ])
    expect(done.map(({ code }) => code)).toEqual([null, null, null, null])
    for (const id of ids) await call('reactivatePrincipal', { id })
  }
})

test('roles are listed with what they grant; only administrators see any of it', async () => {
  await call('setRole', { name: 'auditor', description: 'Reads.', scopes: ['audit:read'] })
  const { data } = await world.ask(admin, '{ roles { name scopes builtIn } }')
  const roles = data['roles']
  expect(roles).toMatchObject([...ROLES.map((name) => ({ name, builtIn: true })), { name: 'auditor' }])
  const query = '{ roles { name } groups { name } roleAssignments { nodes { id } } }'
  expect((await world.ask(colleague(admin, 'operator'), query)).code).toBe('FORBIDDEN')
})
