import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { planApproval } from '../notifications/plan-notifications.ts'
import { openDesk, requestRefund } from '../testing/open-desk.ts'
import { colleague, openWorld, type World } from '../testing/open-world.ts'

let world: World
let admin: Actor
let operator: Actor
let ada: Actor
let ben: Actor
let cleo: Actor

beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())
beforeEach(async () => {
  ;({ admin, operator, ada, ben, cleo } = await openDesk(world))
})

const TEAM = '01990000-0000-7000-8000-000000000009'
const soon = () => new Date(Date.now() + 3_600_000).toISOString()
const onlyAda = [{ people: ['ada'] }]

const asked = (more: object = {}, by = operator) => requestRefund(world, by, { stages: onlyAda, ...more })
const DECIDE = `mutation ($input: DecideApprovalInput!) { decideApproval(input: $input) { approval { status
  decisions { decidedBy { id } onBehalfOf { id } } } } }`
const decide = (by: Actor, id: string, more: object = {}) =>
  world.ask(by, DECIDE, { input: { id, decision: 'APPROVE', ...more } })
const DELEGATE = `mutation ($input: DelegateApprovalsInput!) { delegateApprovals(input: $input) { delegation {
  id from { id } to { id } isActive } } }`
const lend = (by: Actor, to: string, more: object = {}) =>
  world.ask(by, DELEGATE, { input: { to, until: soon(), ...more } })
const idOf = (answer: Awaited<ReturnType<typeof lend>>): string =>
  (answer.data['delegateApprovals']?.['delegation'] as { id: string } | undefined)?.id ?? ''
const inbox = async (by: Actor): Promise<string[]> => {
  const { data } = await world.ask(by, '{ approvalInbox { nodes { id } } }')
  const page: { nodes: { id: string }[] } = JSON.parse(JSON.stringify(data['approvalInbox']))
  return page.nodes.map(({ id }) => id)
}

test('a delegate decides for who lent, both are recorded, and each counts once', async () => {
  const { id } = await asked({ stages: [{ people: ['ada'] }, { people: ['ada', 'ben', 'cleo'] }] })
  expect((await decide(ben, id)).code).toBe('NOT_A_DECIDER')
  expect((await lend(ada, 'ben')).data['delegateApprovals']?.['delegation']).toMatchObject({
    from: { id: 'ada' },
    to: { id: 'ben' },
    isActive: true,
  })
  expect(await inbox(ben)).toEqual([id])
  expect((await decide(ben, id)).code).toBeNull()
  // Ben has decided, and Ada's right is used.
  for (const by of [ada, ben])
    expect((await decide(by, id, { decision: 'REJECT' })).code).toBe('SEPARATION_OF_DUTIES')
  expect(await inbox(ada)).toEqual([])
  const { data } = await decide(cleo, id)
  expect(data['decideApproval']?.['approval']).toEqual({
    status: 'APPROVED',
    decisions: [
      { decidedBy: { id: 'ben' }, onBehalfOf: { id: 'ada' } },
      { decidedBy: { id: 'cleo' }, onBehalfOf: null },
    ],
  })
  expect((await world.events(admin, 'approval.endorsed')).map(({ data }) => data)).toMatchObject([
    { decidedBy: 'ben', onBehalfOf: 'ada' },
  ])
})

test('who decided does not decide again as somebody’s delegate, nor for who decided', async () => {
  await lend(ada, 'ben')
  const { id } = await asked({ stages: [{ people: ['ben'] }, { people: ['ada'] }] })
  expect((await decide(ben, id)).code).toBeNull()
  expect((await decide(ben, id, { decision: 'REJECT' })).code).toBe('SEPARATION_OF_DUTIES')
  expect((await decide(ada, id)).code).toBeNull()
})

test('a delegate of who asked, or of who wrote it, does not decide for them', async () => {
  await lend(ada, 'ben')
  for (const more of [{}, { authors: ['ada'] }]) {
    const { id } = await asked(more, 'authors' in more ? operator : ada)
    expect(await inbox(ben)).toEqual([])
    const { code, extensions } = await decide(ben, id)
    expect([code, extensions['argument']]).toEqual(['SEPARATION_OF_DUTIES', 'input.onBehalfOf'])
  }
})

test('what was lent is not lent on', async () => {
  await lend(ada, 'ben')
  await lend(ben, 'cleo')
  const { id } = await asked()
  expect((await decide(cleo, id)).code).toBe('NOT_A_DECIDER')
  expect((await decide(cleo, id, { onBehalfOf: 'ada' })).code).toBe('NOT_A_DECIDER')
  expect((await decide(ben, id, { onBehalfOf: 'ada' })).code).toBeNull()
})

test('it is for its actions and teams, from its beginning, until its end', async () => {
  await lend(ada, 'ben', { actions: ['other'] })
  await lend(ada, 'ben', { from: new Date(Date.now() + 600_000).toISOString() })
  await lend(ada, 'ben', { teamIds: [TEAM] })
  const [plain, ofTeam] = [await asked(), await asked({ stages: [{ people: ['ada'], teamIds: [TEAM] }] })]
  expect((await decide(ben, plain.id)).code).toBe('NOT_A_DECIDER')
  expect((await decide(ben, ofTeam.id)).code).toBeNull()
  const whole = idOf(await lend(ada, 'ben'))
  await world.database.inTenant(admin, (tx) =>
    tx.sql(
      `update approval_delegation set ends_at = clock_timestamp() where id = $1::uuid returning id`,
      whole,
    ),
  )
  expect((await decide(ben, plain.id)).code).toBe('NOT_A_DECIDER')
})

test('of actions by a pattern, as in policies', async () => {
  await lend(ada, 'ben', { actions: ['money.*'] })
  const [money, other] = [await asked({ action: 'money.spend' }), await asked({ action: 'moneys' })]
  expect(await inbox(ben)).toEqual([money.id])
  expect((await decide(ben, other.id)).code).toBe('NOT_A_DECIDER')
  expect((await decide(ben, money.id)).code).toBeNull()
  await lend(ada, 'cleo', { actions: ['*'] })
  expect(await inbox(cleo)).toEqual([other.id])
  expect((await decide(cleo, other.id)).code).toBeNull()
  const { code, extensions } = await lend(ada, 'ben', { actions: ['refund', 'money*', '*.spend', 'mo*ey.x'] })
  const problems: { path: string }[] = JSON.parse(JSON.stringify(extensions['problems']))
  expect([code, problems.map(({ path }) => path)]).toEqual([
    'BAD_INPUT',
    ['input.actions.1', 'input.actions.2', 'input.actions.3'],
  ])
})

test('it ends before its time by who lent, who got it, or an administrator', async () => {
  const END =
    'mutation ($id: ID!) { endDelegation(input: { id: $id }) { delegation { isActive endedBy { id } } } }'
  for (const by of [ada, ben, admin]) {
    const id = idOf(await lend(ada, 'ben'))
    expect((await world.ask(cleo, END, { id })).code).toBe('NOT_FOUND')
    const { data } = await world.ask(by, END, { id })
    expect(data['endDelegation']?.['delegation']).toEqual({ isActive: false, endedBy: { id: by.id } })
    expect((await world.ask(ada, END, { id })).data).toEqual(data)
  }
  expect((await decide(ben, (await asked()).id)).code).toBe('NOT_A_DECIDER')
  const LIST =
    '{ now: approvalDelegations { nodes { id } } all: approvalDelegations(all: true, of: "ben") { nodes { id } } }'
  const { data } = await world.ask(ada, LIST)
  expect([data['now']?.['nodes'], data['all']?.['nodes']]).toEqual([
    [],
    [{}, {}, {}].map(() => expect.anything()),
  ])
  expect(await world.events(admin, 'approval_delegation.ended')).toHaveLength(3)
})

test('a right that its owner lost is lent no more', async () => {
  const [row] = await world.database.inTenant(admin, (tx) =>
    tx.sql<{ id: string }>(
      `insert into principal (organization_id, kind, name, roles) values ($1::uuid, 'person', 'dan', array['approver'])
       returning id`,
      admin.organizationId,
    ),
  )
  const dan = colleague(admin, 'approver', row?.id)
  await lend(dan, 'ben')
  const { id } = await asked({ stages: [{ people: [dan.id] }] })
  const become = (role: string) =>
    world.database.inTenant(admin, (tx) =>
      tx.sql('update principal set roles = array[$2] where id = $1::uuid returning id', dan.id, role),
    )
  await become('viewer')
  expect((await decide(ben, id)).code).toBe('NOT_A_DECIDER')
  await become('approver')
  expect((await decide(ben, id)).code).toBeNull()
})

test('only a person lends, to another person, for a time to come', async () => {
  const agent = { ...ada, id: 'bot', kind: 'agent' as const }
  expect((await lend(agent, 'ben')).code).toBe('SEPARATION_OF_DUTIES')
  expect((await lend(ada, 'ada')).code).toBe('SEPARATION_OF_DUTIES')
  const [bot] = await world.database.inTenant(admin, (tx) =>
    tx.sql<{ id: string }>(
      `insert into principal (organization_id, kind, name, roles) values ($1::uuid, 'agent', 'bot', array['approver'])
       returning id`,
      admin.organizationId,
    ),
  )
  expect((await lend(ada, bot?.id ?? '')).code).toBe('SEPARATION_OF_DUTIES')
  expect(await world.denials(admin)).toEqual(Array(3).fill('operation/Mutation.delegateApprovals'))
  const past = new Date(Date.now() - 1_000).toISOString()
  expect((await lend(ada, 'ben', { until: past })).code).toBe('BAD_INPUT')
  expect((await world.ask(operator, DELEGATE, { input: { to: 'ben', until: soon() } })).code).toBe(
    'FORBIDDEN',
  )
})

test('a role that was assigned is lent as one’s own is, as long as it is held', async () => {
  const key = await world.ask(
    admin,
    `mutation { createApiKey(input: { principalName: "dana", roles: ["viewer"] }) { apiKey { principalId } } }`,
  )
  const { principalId } = JSON.parse(JSON.stringify(key.data['createApiKey']?.['apiKey']))
  const assigned = await world.ask(
    admin,
    `mutation ($id: ID!) { assignRole(input: { principalId: $id, role: "approver" }) { assignment { id } } }`,
    { id: principalId },
  )
  const dana = colleague(admin, 'approver', principalId)
  expect((await lend(dana, 'ben')).code).toBeNull()
  const { id } = await asked({ stages: [{ people: [principalId] }] })
  expect((await decide(ben, id)).code).toBeNull()
  const other = await asked({ stages: [{ people: [principalId] }] })
  const { id: assignmentId } = JSON.parse(JSON.stringify(assigned.data['assignRole']?.['assignment']))
  await world.ask(
    admin,
    'mutation ($id: ID!) { revokeAssignment(input: { id: $id }) { assignment { id } } }',
    {
      id: assignmentId,
    },
  )
  expect((await decide(ben, other.id)).code).toBe('NOT_A_DECIDER')
})

test('a role of the organization’s own is lent where it may decide, and its delegate is told', async () => {
  const [row] = await world.asOwner<{ lender: string; deputy: string }>(
    `with made as (insert into principal (organization_id, kind, name, email) values
       ($1, 'person', 'tess', null), ($1, 'person', 'dean', 'dean@example.com') returning id, name)
     select (select id from made where name = 'tess') as lender, (select id from made where name = 'dean') as deputy`,
    [admin.organizationId],
  )
  const [lender, deputy] = [row?.lender ?? '', row?.deputy ?? '']
  const dean = colleague(admin, 'approver', deputy)
  await lend(colleague(admin, 'approver', lender), deputy, { actions: ['money.*'] })
  const asks: string[] = []
  for (const [role, scopes] of [
    ['clerk', ['runs:read']],
    ['treasurer', ['approvals:decide']],
  ] as const) {
    for (const [field, input] of [
      ['setRole', { name: role, description: role, scopes }],
      ['assignRole', { role, principalId: lender }],
    ] as const) {
      const type = `${field[0]?.toUpperCase()}${field.slice(1)}Input`
      const { code } = await world.ask(
        admin,
        `mutation ($input: ${type}!) { ${field}(input: $input) { __typename } }`,
        {
          input,
        },
      )
      expect(code).toBeNull()
    }
    const { id } = await asked({ action: 'money.spend', stages: [{ roles: [role] }] })
    asks.push(id)
    if (role === 'clerk') expect((await decide(dean, id)).code).toBe('NOT_A_DECIDER')
  }
  const [, id = ''] = asks
  expect(await planApproval(world, admin, id)).toBe(1)
  expect(await inbox(dean)).toContain(id)
  expect((await decide(dean, id)).data['decideApproval']?.['approval']).toEqual({
    status: 'APPROVED',
    decisions: [{ decidedBy: { id: deputy }, onBehalfOf: { id: lender } }],
  })
})
