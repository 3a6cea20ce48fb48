import { type Actor, SCOPES, scopesOf } from '@tutti/schema'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { recordDenial } from '../audit/record-denial.ts'
import { colleague, openWorld, type World } from '../testing/open-world.ts'
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

/** The one field that an operation answers with, or the error's code. */
async function ask(actor: Actor, query: string, variables: object = {}) {
  const { data, code, extensions } = await world.ask(actor, query, { ...variables })
  // Whatever was asked for: the tests compare it.
  return { ...Object(Object.values(data)[0]), code, argument: extensions['argument'] }
}
async function person(name: string, ...roles: string[]) {
  const created = await ask(
    admin,
    `mutation { createApiKey(input: { principalName: "${name}", roles: ["viewer"] }) { secret apiKey { principalId } } }`,
  )
  const { principalId } = created.apiKey
  for (const role of roles) {
    const { code } = await ask(
      admin,
      `mutation { assignRole(input: { role: "${role}", principalId: "${principalId}" }) { assignment { id } } }`,
    )
    expect(code).toBeNull()
  }
  const actor = async (): Promise<Actor> => {
    const known = await identify(world, { kind: 'api_key', secret: created.secret })
    if (!known) throw new Error(`The key of ${name} opens nothing.`)
    return known
  }
  return { id: principalId, actor }
}
const listed = async () => {
  await ask(
    admin,
    `mutation { setRole(input: { name: "first-aid", description: "d", scopes: ["access:break-glass"] }) { role { name } } }`,
  )
  return person('Ada', 'first-aid')
}
const BREAK = `mutation ($minutes: Int!) {
  breakGlass(input: { reason: "All runs hang.", minutes: $minutes }) {
    breakGlass { id assignmentId incidentId startedAt endsAt reviewedAt }
  }
}`
const REVIEW = `mutation ($id: ID!) {
  reviewBreakGlass(input: { id: $id, review: "Justified." }) { breakGlass { reviewedAt review reviewedBy { name } } }
}`
const USES = `query ($reviewed: Boolean) {
  breakGlassUses(reviewed: $reviewed) { nodes { id principalName deeds { summary actorId } } }
}`

test('whoever is listed for it is admin for the time they said, and it is an incident', async () => {
  const ada = await listed()
  expect((await ask(await (await person('Bob')).actor(), BREAK, { minutes: 5 })).code).toBe('FORBIDDEN')
  const { breakGlass, code } = await ask(await ada.actor(), BREAK, { minutes: 5 })
  expect(code).toBeNull()
  expect(Date.parse(breakGlass.endsAt) - Date.parse(breakGlass.startedAt)).toBeCloseTo(300_000, -4)
  const able = await ada.actor()
  expect(able).toMatchObject({ roles: ['admin', 'viewer'], validUntil: Date.parse(breakGlass.endsAt) })
  expect(able.scopes).toEqual([...SCOPES].toSorted(byText))
  expect((await ask(able, BREAK, { minutes: 5 })).code).toBe('CONFLICT')
  const { data } = await world.ask(admin, '{ incidents { nodes { id severity title status } } }')
  expect(data['incidents']).toMatchObject({
    nodes: [{ id: breakGlass.incidentId, title: 'The glass was broken', status: 'OPEN' }],
  })
  expect(await world.events(admin, 'access.glass_broken')).toMatchObject([{ data: { principalId: ada.id } }])
  await world.asOwner('update role_assignment set expires_at = clock_timestamp() where id = $1', [
    breakGlass.assignmentId,
  ])
  expect((await ada.actor()).roles).toEqual(['viewer'])
})

test('somebody else reviews it once it is over, with what was done meanwhile, and until then it is listed', async () => {
  const ada = await listed()
  const { breakGlass } = await ask(await ada.actor(), BREAK, { minutes: 5 })
  const able = await ada.actor()
  await ask(
    able,
    `mutation { setRole(input: { name: "x", description: "d", scopes: [] }) { role { name } } }`,
  )
  const { id } = breakGlass
  expect(await ask(admin, REVIEW, { id })).toMatchObject({ code: 'INVALID_STATE', argument: 'input.id' })
  await ask(admin, 'mutation ($id: ID!) { revokeAssignment(input: { id: $id }) { assignment { id } } }', {
    id: breakGlass.assignmentId,
  })
  await ask(
    admin,
    `mutation { setRole(input: { name: "y", description: "d", scopes: [] }) { role { name } } }`,
  )
  const { nodes } = await ask(admin, USES, { reviewed: false })
  expect(nodes).toMatchObject([{ id, principalName: 'Ada' }])
  const deeds: { summary: string; actorId: string }[] = nodes[0].deeds
  expect(deeds.map(({ summary }) => summary)).toContain('The role x was set.')
  expect(deeds.map(({ summary }) => summary)).not.toContain('The role y was set.')
  expect(new Set(deeds.map(({ actorId }) => actorId))).toEqual(new Set([ada.id]))
  expect((await ask({ ...able, roles: ['admin'] }, REVIEW, { id })).code).toBe('SEPARATION_OF_DUTIES')
  expect(await world.denials(admin)).toContain('operation/Mutation.reviewBreakGlass')
  expect(await ask(admin, REVIEW, { id })).toMatchObject({
    breakGlass: { review: 'Justified.', reviewedBy: { name: admin.name } },
  })
  expect((await ask(admin, REVIEW, { id })).code).toBe('ALREADY_DECIDED')
  expect((await ask(admin, USES, { reviewed: false })).nodes).toEqual([])
})

test('what is given with broken glass ends with it, and what would have no end is not given', async () => {
  const ada = await listed()
  const [bob, cleo] = [await person('Bob'), await person('Cleo')]
  const { breakGlass } = await ask(await ada.actor(), BREAK, { minutes: 5 })
  const able = await ada.actor()
  const { endsAt } = breakGlass
  const given = await ask(
    able,
    `mutation { assignRole(input: { role: "admin", principalId: "${bob.id}" }) { assignment { expiresAt } } }`,
  )
  expect(given).toMatchObject({ code: null, assignment: { expiresAt: endsAt } })
  // And no longer by who was given it: nobody has more of it than Ada.
  const chained = await ask(
    await bob.actor(),
    `mutation { assignRole(input: { role: "viewer", principalId: "${ada.id}" }) { assignment { expiresAt } } }`,
  )
  expect(chained).toMatchObject({ code: null, assignment: { expiresAt: endsAt } })
  const key = await ask(
    able,
    'mutation { createApiKey(input: { principalName: "New", roles: ["admin"] }) { secret apiKey { expiresAt } } }',
  )
  expect(key).toMatchObject({ code: null, apiKey: { expiresAt: endsAt } })
  const until = new Date(Date.now() + 86_400_000).toISOString()
  const lent = await ask(
    able,
    `mutation { delegateApprovals(input: { to: "${cleo.id}", until: "${until}" }) { delegation { endsAt } } }`,
  )
  expect(lent).toMatchObject({ code: null, delegation: { endsAt } })
  for (const endless of [
    `setGroup(input: { name: "board", memberIds: ["${cleo.id}"] }) { group { id } }`,
    'setRole(input: { name: "first-aid", description: "d", scopes: ["access:break-glass", "runs:start"] }) { role { name } }',
    'setIdentityProvider(input: { issuer: "https://a.example.com", clientId: "c", clientSecret: "secret-secret" }) { identityProvider { id } }',
  ])
    expect(await ask(able, `mutation { ${endless} }`)).toMatchObject({ code: 'FORBIDDEN' })

  await ask(admin, 'mutation ($id: ID!) { revokeAssignment(input: { id: $id }) { assignment { id } } }', {
    id: breakGlass.assignmentId,
  })
  const revoked = await world.events(admin, 'role.unassigned')
  expect(new Set(revoked.map(({ data }) => data['principalId']))).toEqual(new Set([ada.id, bob.id]))
  expect((await bob.actor()).roles).toEqual(['viewer'])
  expect(await identify(world, { kind: 'api_key', secret: key.secret })).toBeNull()
  expect(await world.events(admin, 'approval_delegation.ended')).toHaveLength(1)
  const { nodes } = await ask(admin, USES, { reviewed: false })
  const deeds: { summary: string }[] = nodes[0].deeds
  expect(deeds.map(({ summary }) => summary)).toContain('Bob was given the role admin.')
  expect(deeds.filter(({ summary }) => summary.includes('setIdentityProvider'))).not.toEqual([])
})

test('no agent breaks glass, nor anybody for longer than four hours', async () => {
  expect((await ask(colleague(admin, 'admin'), BREAK, { minutes: 5 })).code).toBe('SEPARATION_OF_DUTIES')
  const ada = await listed()
  expect((await ask({ ...(await ada.actor()), kind: 'agent' }, BREAK, { minutes: 5 })).code).toBe(
    'SEPARATION_OF_DUTIES',
  )
  expect(await world.denials(admin)).toEqual(Array(2).fill('operation/Mutation.breakGlass'))
  expect(await ask(await ada.actor(), BREAK, { minutes: 241 })).toMatchObject({
    code: 'BAD_INPUT',
    argument: 'input.minutes',
  })
})

test('the review of access says who may what, by what, since when, and what they were refused', async () => {
  const ada = await person('Ada')
  const { group } = await ask(
    admin,
    'mutation ($id: ID!) { setGroup(input: { name: "on-call", memberIds: [$id] }) { group { id } } }',
    { id: ada.id },
  )
  const expiresAt = new Date(Date.now() + 60_000).toISOString()
  const assigned = await ask(
    admin,
    `mutation ($group: ID!, $expiresAt: DateTime) {
      assignRole(input: { role: "operator", groupId: $group, expiresAt: $expiresAt, reason: "This week" }) { assignment { id } }
    }`,
    { group: group.id, expiresAt },
  )
  await recordDenial(world, await ada.actor(), { action: 'Mutation.createApiKey' })
  await ask(
    admin,
    `mutation ($to: ID!, $until: DateTime!) {
      delegateApprovals(input: { to: $to, until: $until, actions: ["money.spend"] }) { delegation { id } } }`,
    { to: ada.id, until: expiresAt },
  )
  const { nodes } = await ask(
    admin,
    `{ accessReview { nodes {
      principal { name kind } scopes denials lent { from { id } actions } keys { prefix scopes expiresAt } within { teamId }
      grants { by role groupName reason expiresAt assignmentId grantedBy { name } }
    } } }`,
  )
  expect(nodes).toMatchObject([
    {
      principal: { name: 'Ada', kind: 'person' },
      scopes: scopesOf(['viewer', 'operator']),
      denials: 1,
      lent: [{ from: { id: admin.id }, actions: ['money.spend'] }],
      keys: [{ prefix: expect.stringMatching(/^tutti_/), scopes: [], expiresAt: null }],
      within: [],
      grants: [
        { by: 'role', role: 'viewer', grantedBy: null },
        {
          by: 'group',
          role: 'operator',
          groupName: 'on-call',
          reason: 'This week',
          expiresAt,
          assignmentId: assigned.assignment.id,
          grantedBy: { name: admin.name },
        },
      ],
    },
  ])
})

const byText = (a: string, b: string): number => (a < b ? -1 : 1)
