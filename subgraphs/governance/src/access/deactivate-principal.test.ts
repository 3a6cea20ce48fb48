import { createKms } from '@tutti/runtime'
import { type Actor, systemActor } from '@tutti/schema'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { colleague, openWorld, type World } from '../testing/open-world.ts'
import { claimNotifications } from '../notifications/claim-notifications.ts'
import { planApproval } from '../notifications/plan-notifications.ts'
import { askAsDirectory } from '../testing/ask-as-directory.ts'
import { answerLogin } from '../sessions/answer-login.ts'
import { rewrapIdentityProviders } from '../sessions/rewrap-identity-providers.ts'
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

const WHAT = {
  createApiKey: 'secret apiKey { principalId }',
  deactivatePrincipal:
    'principal { name active deactivatedAt deactivatedBy } sessionsEnded openedApprovals { id stages { roles } }',
  reactivatePrincipal: 'principal { active deactivatedAt }',
  setRole: 'role { version }',
  removeRole: 'name',
  assignRole: 'assignment { id }',
  revokeAssignment: 'assignment { id }',
  setGroup: 'group { id members { name active } }',
  setIdentityProvider: 'identityProvider { id }',
  eraseSubject: 'erasure { id }',
  setNotificationChannel: 'channel { id }',
  requestApproval: 'approval { id status stage stages { roles } }',
  decideApproval: 'approval { id status stage stages { roles } }',
  delegateApprovals: 'delegation { id }',
  setOnCallSchedule: 'schedule { id }',
  setEscalationPolicy: 'policy { id }',
} as const

/** What a mutation answers with, and the error's code, hint and path. */
async function call(name: keyof typeof WHAT, input: object, actor = admin) {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input!`
  const { data, code, extensions } = await world.ask(
    actor,
    `mutation ($input: ${type}) { ${name}(input: $input) { ${WHAT[name]} } }`,
    { input },
  )
  // Whatever the mutation answers with: the tests compare it.
  return { ...Object(data[name]), code, hint: extensions['hint'], argument: extensions['argument'] }
}
const known = (secret: string): Promise<Actor | null> => identify(world, { kind: 'api_key', secret })
async function person(name: string, roles = ['approver']) {
  const { secret, apiKey } = await call('createApiKey', { principalName: name, roles })
  const actor = await known(secret)
  if (!actor) throw new Error(`The key of ${name} opens nothing.`)
  return { actor, secret: String(secret), id: String(apiKey.principalId) }
}
const asked = (stages: object[]) =>
  call(
    'requestApproval',
    {
      title: 'May we?',
      action: 'do',
      arguments: {},
      reason: 'we want to',
      stages,
      idempotencyKey: crypto.randomUUID(),
    },
    colleague(admin, 'operator'),
  )

test('nothing of a deactivated principal opens anything, until they are reactivated', async () => {
  const { identityProvider } = await call('setIdentityProvider', {
    issuer: 'https://login.example.com',
    clientId: 'tutti',
    clientSecret: 'a-secret-of-a-client',
    defaultRole: 'operator',
  })
  const started = await startSession(world, admin.organizationId, identityProvider.id, { sub: 'ada' })
  const token = started !== null && 'token' in started ? started.token : ''
  const { id, secret } = await person('ada', ['operator'])
  const claims = {
    org: admin.organizationId,
    sub: 'ada',
    iss: 'https://login.example.com',
    roles: ['viewer'],
  }
  const opens = async () => [
    await known(secret),
    await identify(world, { kind: 'session', secret: token }),
    await identify(world, { kind: 'jwt', claims }),
    await identify(world, { kind: 'jwt', claims: { ...claims, iss: 'https://else.example.com', sub: id } }),
  ]
  expect((await opens()).map((actor) => actor !== null)).toEqual([true, true, true, true])
  expect(await call('deactivatePrincipal', { id, reason: 'left' })).toMatchObject({
    principal: {
      name: 'ada',
      active: false,
      deactivatedAt: expect.any(String),
      deactivatedBy: 'administrator',
    },
    sessionsEnded: 1,
    openedApprovals: [],
  })
  expect(await opens()).toEqual([null, null, null, null])
  const again = await startSession(world, admin.organizationId, identityProvider.id, { sub: 'ada' })
  expect(again).toEqual({ refused: { id, name: 'ada' } })
  expect(await call('deactivatePrincipal', { id })).toMatchObject({ code: null, sessionsEnded: 0 })
  expect(await call('reactivatePrincipal', { id })).toMatchObject({
    principal: { active: true, deactivatedAt: null },
  })
  expect((await opens()).map((actor) => actor !== null)).toEqual([true, false, true, true])
  expect(
    (await world.events(admin)).map(({ type }) => type).filter((type) => type.startsWith('principal')),
  ).toEqual(['principal.deactivated', 'principal.reactivated'])
})

test('the last active administrator stays, and nobody reactivates who may more than they', async () => {
  const first = await person('First', ['admin'])
  expect(await call('deactivatePrincipal', { id: first.id })).toMatchObject({ code: 'INVALID_STATE' })
  const second = await person('Second', ['admin'])
  expect(await call('deactivatePrincipal', { id: first.id })).toMatchObject({ code: null })
  expect(await call('deactivatePrincipal', { id: second.id })).toMatchObject({ code: 'INVALID_STATE' })
  const clerk: Actor = { ...colleague(admin, 'viewer'), scopes: ['access:manage'] }
  expect(await call('reactivatePrincipal', { id: first.id }, clerk)).toMatchObject({ code: 'FORBIDDEN' })
  expect(await call('deactivatePrincipal', { id: 'nobody' })).toMatchObject({ code: 'NOT_FOUND' })
})

test('who is deactivated is offered nothing: no delegation, no turn on call, no level of escalations', async () => {
  const [ada, ben] = [await person('Ada'), await person('Ben')]
  const until = new Date(Date.now() + 3_600_000).toISOString()
  const turns = (participants: string[]) =>
    call('setOnCallSchedule', {
      name: 'nights',
      timeZone: 'UTC',
      participants,
      length: 366,
      unit: 'DAY',
      handoffTime: '00:00',
      startsOn: '2026-01-01',
    })
  expect(await call('delegateApprovals', { to: admin.id, until }, ada.actor)).toMatchObject({ code: null })
  expect(await turns([ada.id, ben.id])).toMatchObject({ code: null })
  const whoIs = async () =>
    (await world.ask(admin, '{ onCall(schedule: "nights") { personId } }')).data['onCall']?.['personId']
  const before = await whoIs()
  await call('deactivatePrincipal', { id: before })
  expect(await whoIs()).toBe(before === ada.id ? ben.id : ada.id)
  await call('deactivatePrincipal', { id: ada.id })
  expect(await turns([ada.id])).toMatchObject({ code: 'BAD_INPUT', argument: 'input.participants.0' })
  expect(await call('delegateApprovals', { to: ada.id, until }, colleague(admin, 'approver'))).toMatchObject({
    code: 'BAD_INPUT',
    argument: 'input.to',
  })
  const level = { level: 'domain', responsible: { kind: 'person', name: ada.id } }
  const policy = { levels: [{ ...level, acknowledgeWithinSeconds: 60, resolveWithinSeconds: 60 }] }
  expect(await call('setEscalationPolicy', policy)).toMatchObject({ code: 'BAD_INPUT' })
  // What they lent is not theirs to lend any more.
  const { approval } = await asked([{ people: [ada.id, ben.id] }])
  expect(
    await call('decideApproval', { id: approval.id, decision: 'APPROVE' }, { ...admin, roles: [] }),
  ).toMatchObject({ code: 'NOT_A_DECIDER' })
})

test('what only they could decide administrators may, whenever it comes to that', async () => {
  const [ada, ben] = [await person('Ada'), await person('Ben')]
  await call('setGroup', { name: 'desk', memberIds: [ada.id] })
  const alone = await asked([{ people: [ada.id] }])
  const group = await asked([{ groups: ['desk'] }])
  const both = await asked([{ people: [ada.id, ben.id], needed: 2 }])
  const either = await asked([{ people: [ada.id, ben.id] }])
  const byRole = await asked([{ people: [ada.id], roles: ['approver'] }])
  const later = await asked([{ people: [ben.id] }, { people: [ada.id] }])
  const { openedApprovals } = await call('deactivatePrincipal', { id: ada.id })
  const opened = [alone, group, both].map(({ approval }) => ({
    id: approval.id,
    stages: [{ roles: ['admin'] }],
  }))
  expect(openedApprovals).toEqual(opened)
  expect([either, byRole].map(({ approval }) => approval.status)).toEqual(['PENDING', 'PENDING'])
  expect(await call('decideApproval', { id: alone.approval.id, decision: 'APPROVE' })).toMatchObject({
    approval: { status: 'APPROVED' },
  })
  // At the stage's beginning, and of what is asked afterwards.
  expect(
    await call('decideApproval', { id: later.approval.id, decision: 'APPROVE' }, ben.actor),
  ).toMatchObject({ approval: { stage: 1, stages: [{ roles: [] }, { roles: ['admin'] }] } })
  expect(await asked([{ people: [ada.id] }])).toMatchObject({ approval: { stages: [{ roles: ['admin'] }] } })
  const escalated = await world.events(admin, 'approval.escalated')
  expect(escalated.length).toBe(5)
  const { data } = await world.ask(admin, '{ escalations(first: 10) { nodes { title status } } }')
  expect(data['escalations']?.['nodes']).toContainEqual({
    title: 'Nobody is left to decide: May we?',
    status: 'OPEN',
  })
})

test('whatever leaves too few of a group or of people to decide, administrators may from then on', async () => {
  const scim = async (method: 'POST' | 'PATCH' | 'DELETE', path: string, body: object | null = null) => {
    const answer = await askAsDirectory(world, { ...admin, kind: 'integration' }, method, path, body)
    expect([201, 200, 204]).toContain(answer.status)
    return String(answer.body?.['id'])
  }
  const user = (userName: string) => scim('POST', 'Users', { userName })
  const group = (displayName: string, ...members: string[]) =>
    scim('POST', 'Groups', { displayName, members: members.map((value) => ({ value })) })
  const patch = (id: string, operation: object) => scim('PATCH', `Groups/${id}`, { Operations: [operation] })
  const isOpen = async ({ approval }: Awaited<ReturnType<typeof asked>>) => {
    const { data } = await world.ask(
      admin,
      'query ($id: ID!) { approval(id: $id) { stage stages { roles } } }',
      {
        id: approval.id,
      },
    )
    const { stage, stages } = Object(data['approval'])
    return stages[stage].roles.join() === 'admin'
  }
  const opensWith = async (stages: object[], act: () => Promise<unknown>) => {
    const question = await asked(stages)
    const before = await isOpen(question)
    await act()
    return [before, await isOpen(question)]
  }
  const [eve, fay, gil] = [await user('eve@x.org'), await user('fay@x.org'), await user('gil@x.org')]
  await group('left', eve)
  const [emptied, renamed, removed] = [
    await group('emptied', fay),
    await group('renamed', fay),
    await group('removed', fay),
  ]
  const opened = [false, true]
  expect(await opensWith([{ groups: ['left'] }], () => scim('DELETE', `Users/${eve}`))).toEqual(opened)
  const nobody = { op: 'remove', path: 'members' }
  expect(await opensWith([{ groups: ['emptied'] }], () => patch(emptied, nobody))).toEqual(opened)
  const called = { op: 'replace', path: 'displayName', value: 'called otherwise' }
  expect(await opensWith([{ groups: ['renamed'] }], () => patch(renamed, called))).toEqual(opened)
  expect(await opensWith([{ groups: ['removed'] }], () => scim('DELETE', `Groups/${removed}`))).toEqual(
    opened,
  )

  const [ada, ben] = [await person('Ada'), await person('Ben')]
  const desk = (...memberIds: string[]) => call('setGroup', { name: 'desk', memberIds })
  await desk(ada.id, ben.id)
  const two = await asked([{ groups: ['desk'], needed: 2 }])
  const one = await asked([{ groups: ['desk'] }])
  await desk(ada.id)
  expect([await isOpen(two), await isOpen(one)]).toEqual([true, false])
  expect(await opensWith([{ groups: ['desk'] }], () => desk())).toEqual(opened)
  expect(await isOpen(one)).toBe(true)
  await call('setGroup', { name: 'erased', memberIds: [gil] })
  const forget = () => call('eraseSubject', { subject: `person/${gil}`, reason: 'asked' })
  expect(await opensWith([{ groups: ['erased'] }], forget)).toEqual(opened)

  await call('setGroup', { name: 'duty', memberIds: [] })
  const { identityProvider } = await call('setIdentityProvider', {
    issuer: 'https://login.example.com',
    clientId: 'tutti',
    clientSecret: 'a-secret-of-a-client',
    mapping: [{ claimed: 'on duty', group: 'duty' }],
  })
  const logIn = (groups: string[]) =>
    startSession(world, admin.organizationId, identityProvider.id, { sub: 'hal', groups })
  await logIn(['on duty'])
  expect(await opensWith([{ groups: ['duty'] }], () => logIn([]))).toEqual(opened)

  // From the start: there is no such group, and whom it names alone asked.
  for (const names of [{ groups: ['fnance'] }, { people: ['operator-of-tests'] }])
    expect(await isOpen(await asked([names]))).toBe(true)
  expect(await isOpen(await asked([{ people: ['of-a-provider-alone'] }]))).toBe(false)

  // One of two says yes for the other, and neither can say it again.
  await desk(ada.id, ben.id)
  const until = new Date(Date.now() + 3_600_000).toISOString()
  expect(await call('delegateApprovals', { to: ben.id, until }, ada.actor)).toMatchObject({ code: null })
  const both = await asked([{ groups: ['desk'], needed: 2 }])
  expect(await isOpen(both)).toBe(false)
  const forAda = { id: both.approval.id, decision: 'APPROVE', onBehalfOf: ada.id }
  expect(await call('decideApproval', forAda, ben.actor)).toMatchObject({
    approval: { status: 'PENDING', stages: [{ roles: ['admin'] }] },
  })
  expect(await call('decideApproval', { id: both.approval.id, decision: 'APPROVE' })).toMatchObject({
    approval: { status: 'APPROVED' },
  })
})

test('what is still to be told to somebody is told no more, unless another is told at the same place', async () => {
  const [zed, ann] = [await person('Zed'), await person('Ann')]
  const mail = (owner: string, address: string) =>
    call('setNotificationChannel', { ownerKind: 'PERSON', owner, kind: 'EMAIL', address })
  await mail(zed.id, 'zed@example.com')
  for (const { id } of [zed, ann]) await mail(id, 'desk@example.com')
  const { approval } = await asked([{ roles: ['approver'] }])
  await planApproval(world, admin, approval.id)
  await call('deactivatePrincipal', { id: zed.id })
  const planned = await world.asOwner<{ id: string }>(
    'select id from notification where organization_id = $1',
    [admin.organizationId],
  )
  expect(planned).toHaveLength(2)
  const worker = systemActor(admin.organizationId, 'worker')
  const due = await claimNotifications(
    world,
    worker,
    planned.map(({ id }) => id),
  )
  expect(due.map(({ address }) => address)).toEqual(['desk@example.com'])
  const { data } = await world.ask(admin, '{ notifications { nodes { address status } } }')
  expect(data['notifications']).toEqual({
    nodes: expect.arrayContaining([{ address: 'zed@example.com', status: 'DROPPED' }]),
  })
})

test('a role of one’s own is removed when nobody has it', async () => {
  const { id } = await person('Ada')
  await call('setRole', { name: 'clerk', description: 'reads', scopes: ['runs:read'] })
  const { assignment } = await call('assignRole', { role: 'clerk', principalId: id })
  expect(await call('removeRole', { name: 'clerk' })).toMatchObject({
    code: 'CONFLICT',
    hint: `revokeAssignment takes it back from Ada (${assignment.id}).`,
  })
  await call('revokeAssignment', { id: assignment.id })
  expect(await call('removeRole', { name: 'clerk' })).toMatchObject({ code: null, name: 'clerk' })
  expect(await call('removeRole', { name: 'clerk' })).toMatchObject({ code: 'NOT_FOUND' })
  expect(await call('removeRole', { name: 'admin' })).toMatchObject({ code: 'BAD_INPUT' })
  expect(await call('assignRole', { role: 'clerk', principalId: id })).toMatchObject({ code: 'NOT_FOUND' })
})

test('a provider’s secret is wrapped by the new master key, and opens without the old one', async () => {
  const { identityProvider } = await call('setIdentityProvider', {
    issuer: 'https://login.example.com',
    clientId: 'tutti',
    clientSecret: 'a-secret-of-a-client',
  })
  const secret = 'another-secret-of-the-installation'
  const masterKey = Buffer.alloc(32, 7).toString('base64')
  const [row] = await world.asOwner<{ name: string }>(
    'select master_key as name from identity_provider where id = $1',
    [identityProvider.id],
  )
  const strange = createKms({ secret, masterKey })
  const open = (kms: typeof strange) =>
    answerLogin(
      { ...world, kms },
      { kind: 'provider', organizationId: admin.organizationId, providerId: null },
    )
  await expect(open(strange)).rejects.toMatchObject({ code: 'MASTER_KEY_MISSING' })
  const both = {
    current: strange.current,
    wrap: strange.wrap,
    unwrap: (key: Parameters<typeof strange.unwrap>[0], belongsTo: readonly string[]) =>
      (key.masterKey === row?.name ? world.kms : strange).unwrap(key, belongsTo),
  }
  const operator = systemActor(admin.organizationId, 'test')
  expect(await rewrapIdentityProviders({ ...world, kms: both }, operator, {})).toBe(1)
  expect(await rewrapIdentityProviders({ ...world, kms: both }, operator, {})).toBe(0)
  expect(await open(strange)).toMatchObject({ provider: { clientSecret: 'a-secret-of-a-client' } })
})
