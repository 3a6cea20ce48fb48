import { type Actor, type Scope, systemActor } from '@tutti/schema'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { assignRole } from './access/assign-role.ts'
import { identify } from './access/identify.ts'
import { rotateApiKey } from './access/rotate-api-key.ts'
import { setGroup } from './access/set-group.ts'
import { approvalInbox } from './approvals/approval-inbox.ts'
import { decideApproval } from './approvals/decide-approval.ts'
import { delegateApprovals } from './approvals/delegate-approvals.ts'
import { endDelegation } from './approvals/end-delegation.ts'
import { requestApproval } from './approvals/request-approval.ts'
import { approvedDigest, useApproval } from './approvals/use-approval.ts'
import { issueLink } from './links/issue-link.ts'
import { receiveDecision } from './links/receive-decision.ts'
import { NOTIFICATION_COLUMNS, type NotificationRow } from './notifications/notification-row.ts'
import { planApproval } from './notifications/plan-notifications.ts'
import { setNotificationChannel } from './notifications/set-notification-channel.ts'
import { colleague, openWorld, type World } from './testing/open-world.ts'

let world: World
let admin: Actor

beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())
beforeEach(async () => {
  admin = await world.organization()
})

const KEY = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret apiKey { id } } }'

/** Whoever has a key that `by` made. */
async function keyOf(by: Actor, principalName: string, more: object = {}): Promise<Actor> {
  const { data } = await world.ask(by, KEY, { input: { principalName, roles: ['approver'], ...more } })
  const secret = String(data['createApiKey']?.['secret'])
  return (await identify(world, { kind: 'api_key', secret })) ?? expect.unreachable()
}

const withScopes = (actor: Actor, ...more: Scope[]): Actor => ({
  ...actor,
  scopes: [...new Set([...actor.scopes, ...more])].sort(),
})

const ask = (by: Actor, more: object = {}) =>
  requestApproval(world, by, {
    requestKey: crypto.randomUUID(),
    title: 'Pay me',
    action: 'pay',
    arguments: { sum: 1 },
    reason: 'r',
    ...more,
  })

/** What becomes of a yes: the approval's status, or the code and the first word of the hint. */
const decide = (by: Actor, { id }: { id: string }): Promise<string> =>
  decideApproval(world, by, { id, decision: 'APPROVE' }).then(
    ({ status }) => status,
    (error: { code: string; hint?: string }) => `${error.code} ${error.hint?.split(':')[0] ?? ''}`.trim(),
  )

const inInbox = async (of: Actor): Promise<string[]> =>
  (await approvalInbox(world, of, {})).nodes.map(({ id }) => id)

test('a person decides, and by no key that somebody made who may not', async () => {
  const me = await keyOf(admin, 'Me', { roles: ['admin'] })
  const bot = await keyOf(me, 'bot', { kind: 'integration', roles: ['admin'] })
  const bob = await keyOf(admin, 'Bob')
  const asBob = await keyOf(me, 'Bob')
  expect([bob.credentialBy, asBob.credentialBy]).toEqual([[admin.id], [me.id, admin.id]])
  const mine = await ask(me)
  expect(await decide(bot, mine)).toBe('SEPARATION_OF_DUTIES AGENT')
  expect(await decide(asBob, mine)).toBe('SEPARATION_OF_DUTIES KEY')
  // Nor by the keys that such a key makes, or that are made in the place of one.
  const byBot = await keyOf(bot, 'Carol')
  expect(await decide(byBot, mine)).toBe('SEPARATION_OF_DUTIES KEY')
  const { secret } = await rotateApiKey(world, me, { id: bob.credentialId })
  const rotated = (await identify(world, { kind: 'api_key', secret })) ?? expect.unreachable()
  expect(await decide(rotated, mine)).toBe('SEPARATION_OF_DUTIES KEY')
  for (const each of [bot, asBob, byBot, rotated]) expect(await inInbox(each)).toEqual([])

  const written = await ask(colleague(admin, 'operator'), { authors: [me.id] })
  expect(await decide(asBob, written)).toBe('SEPARATION_OF_DUTIES KEY')
  const two = await ask(colleague(admin, 'operator'), { stages: [{ needed: 2 }] })
  expect(await decide(me, two)).toBe('pending')
  expect(await decide(asBob, two)).toBe('SEPARATION_OF_DUTIES KEY')
  expect(await inInbox(asBob)).toEqual([])
  expect(await decide(bob, two)).toBe('approved')

  expect(await inInbox(bob)).toEqual([mine.id, written.id])
  expect(await decide(bob, mine)).toBe('approved')
})

test('nor by a right that was lent by a key which somebody made who may not', async () => {
  const me = await keyOf(admin, 'Me', { roles: ['admin'] })
  const ada = await keyOf(admin, 'Ada')
  const byMe = await keyOf(me, 'Ada')
  const friend = await keyOf(admin, 'Friend', { roles: ['viewer'] })
  const until = new Date(Date.now() + 3_600_000)
  const lend = (by: Actor, more: object = {}) =>
    delegateApprovals(world, by, { to: friend.id, until, ...more })
  await lend(byMe)
  const mine = await ask(me)
  expect(await decide(friend, mine)).toBe('SEPARATION_OF_DUTIES ON_BEHALF')
  const written = await ask(colleague(admin, 'operator'), { authors: [me.id] })
  expect(await decide(friend, written)).toBe('SEPARATION_OF_DUTIES ON_BEHALF')
  const two = await ask(colleague(admin, 'operator'), { stages: [{ needed: 2 }] })
  expect(await decide(me, two)).toBe('pending')
  expect(await decide(friend, two)).toBe('SEPARATION_OF_DUTIES ON_BEHALF')
  expect(await inInbox(friend)).toEqual([])
  const others = await ask(colleague(admin, 'operator'))
  expect(await inInbox(friend)).toEqual([others.id])
  expect(await decide(friend, others)).toBe('approved')
  // What she lends herself is hers to lend.
  await lend(ada, { actions: ['pay'] })
  expect(await inInbox(friend)).toEqual([mine.id, written.id, two.id])
  expect(await decide(friend, mine)).toBe('approved')
})

test('nor by a role or a group that somebody gave after they asked for it or wrote it', async () => {
  const me = await keyOf(admin, 'Me', { roles: ['admin'] })
  const [chair, friend, second, other] = await Promise.all(
    ['Chair', 'Friend', 'Second', 'Other'].map((name) => keyOf(admin, name, { roles: ['viewer'] })),
  )
  if (!chair || !friend || !second || !other) return expect.unreachable()
  await setGroup(world, admin, { name: 'board', memberIds: [chair.id] })
  const [mine, toBoard] = [await ask(me), await ask(me, { stages: [{ groups: ['board'] }] })]
  const written = await ask(colleague(admin, 'operator'), { authors: [me.id] })

  await assignRole(world, me, { role: 'approver', principalId: friend.id })
  await setGroup(world, me, { name: 'board', memberIds: [chair.id, friend.id] })
  await assignRole(world, await keyOf(me, 'By me', { roles: ['admin'] }), {
    role: 'approver',
    principalId: second.id,
  })
  await delegateApprovals(world, friend, { to: other.id, until: new Date(Date.now() + 3_600_000) })
  const given = 'SEPARATION_OF_DUTIES GIVEN'
  for (const each of [mine, toBoard, written]) {
    expect(await decide(friend, each)).toBe(given)
    expect(await decide(other, each)).toBe(given)
  }
  expect([await decide(second, mine), await decide(second, toBoard)]).toEqual([given, 'NOT_A_DECIDER'])

  // It is good for what they ask from then on, for what others ask, and what else one has by others.
  expect(await decide(friend, await ask(me, { stages: [{ groups: ['board'] }] }))).toBe('approved')
  expect(await decide(other, await ask(colleague(admin, 'operator')))).toBe('approved')
  expect(await decide(chair, toBoard)).toBe('approved')
  await assignRole(world, admin, { role: 'approver', principalId: friend.id })
  expect([await decide(friend, mine), await decide(other, written)]).toEqual(['approved', 'approved'])
})

test('a policy is reviewed by a person too, and by no key of its writer', async () => {
  const bot = await keyOf(admin, 'bot', { kind: 'integration', roles: ['admin'] })
  const say = (by: Actor, query: string, input: object) => world.ask(by, query, { input })
  const { data } = await say(
    colleague(admin, 'admin', 'writer'),
    'mutation ($input: CreatePolicyInput!) { createPolicy(input: $input) { policy { id } } }',
    { name: 'p', kind: 'RESOURCES', actions: ['money.spend'], effect: 'DENY', condition: 'true' },
  )
  const policy = JSON.parse(JSON.stringify(data['createPolicy']?.['policy'])) as { id: string }
  const writer = colleague(admin, 'admin', 'writer')
  await say(
    writer,
    'mutation ($input: SubmitPolicyInput!) { submitPolicy(input: $input) { policy { id } } }',
    policy,
  )
  const review = 'mutation ($input: ReviewPolicyInput!) { reviewPolicy(input: $input) { policy { id } } }'
  const yes = { ...policy, version: 1, decision: 'APPROVE' }
  expect((await say(bot, review, yes)).code).toBe('SEPARATION_OF_DUTIES')
  const byWriter = { ...colleague(admin, 'approver', 'other'), credentialBy: ['writer'] }
  expect((await say(byWriter, review, yes)).code).toBe('SEPARATION_OF_DUTIES')
  expect((await say(colleague(admin, 'approver'), review, yes)).code).toBeNull()
})

test('a link goes to a place that its person has themselves, and nobody else says where', async () => {
  const bob = await keyOf(admin, 'Bob')
  const worker = systemActor(admin.organizationId, 'worker')
  const mallory = withScopes(colleague(admin, 'operator', 'mallory'), 'settings:write')
  const channel = (by: Actor, address: string) =>
    setNotificationChannel(world, by, { ownerKind: 'person', owner: bob.id, kind: 'email', address })
  const told = async (by: Actor): Promise<Map<string, NotificationRow>> => {
    const { id } = await ask(by, { stages: [{ people: [bob.id] }] })
    await planApproval(world, worker, id)
    const rows = await world.database.readTenant<NotificationRow>(
      admin,
      `select ${NOTIFICATION_COLUMNS} from notification where organization_id = $1 and subject = $2`,
      [admin.organizationId, `approval/${id}`],
    )
    return new Map(rows.map((row) => [row.address, row]))
  }
  const follow = async (row: NotificationRow | undefined) => {
    const token = row && (await issueLink(world, worker, row))
    return token ? (await receiveDecision(world, { method: 'GET', token, body: null })).status : null
  }

  await world.asOwner('update principal set email = $2 where id = $1', [bob.id, 'bob@example.com'])
  await channel(mallory, 'mallory@example.com')
  const first = await told(mallory)
  expect(await follow(first.get('mallory@example.com'))).toBeNull()
  // What somebody else says takes nothing away: his own address has the link.
  const own = first.get('bob@example.com') ?? expect.unreachable()
  expect(await follow(own)).toBe(200)

  // Also what was planned or issued before is no link to what is another's by now.
  await world.asOwner('update notification set link_for = $2 where id = $1', [
    first.get('mallory@example.com')?.id,
    bob.id,
  ])
  expect(
    await follow({ ...(first.get('mallory@example.com') ?? expect.unreachable()), linkFor: bob.id }),
  ).toBeNull()
  const token = (await issueLink(world, worker, own)) ?? expect.unreachable()
  await world.asOwner('update principal set email = null where id = $1', [bob.id])
  for (const method of ['GET', 'POST'] as const)
    expect((await receiveDecision(world, { method, token, body: 'decision=APPROVE' })).status).toBe(404)

  // He says where he is told, and needs no right to settings for it.
  await expect(channel(colleague(admin, 'approver'), 'x@example.com')).rejects.toMatchObject({
    code: 'FORBIDDEN',
  })
  await channel(bob, 'bob@elsewhere.example.com')
  expect(await follow((await told(mallory)).get('bob@elsewhere.example.com'))).toBe(200)
  // By a key that the administrator made: what the administrator asks for is no link there.
  expect(await follow((await told(admin)).get('bob@elsewhere.example.com'))).toBeNull()
  await channel(mallory, 'bob@elsewhere.example.com')
  expect(await follow((await told(mallory)).get('bob@elsewhere.example.com'))).toBeNull()
})

test('who manages access does not make themselves a decider; somebody else does', async () => {
  const me = withScopes(await keyOf(admin, 'Me'), 'access:manage')
  const chair = await keyOf(admin, 'Chair')
  const group = await setGroup(world, admin, { name: 'board', memberIds: [chair.id] })
  const requester = colleague(admin, 'operator')
  const [toBoard, toLegal] = [
    await ask(requester, { stages: [{ groups: ['board'] }] }),
    await ask(requester, { stages: [{ roles: ['legal'] }] }),
  ]
  const role = 'mutation ($input: SetRoleInput!) { setRole(input: $input) { role { name } } }'
  await world.ask(admin, role, { input: { name: 'legal', description: 'Decides.', scopes: [] } })
  const refused = { code: 'SEPARATION_OF_DUTIES' }
  const join = (by: Actor) => setGroup(world, by, { name: 'board', memberIds: [chair.id, me.id] })
  await expect(join(me)).rejects.toMatchObject({ ...refused, path: 'input.memberIds' })
  await expect(join({ ...chair, scopes: me.scopes, credentialBy: [me.id] })).rejects.toMatchObject(refused)
  await expect(assignRole(world, me, { role: 'legal', principalId: me.id })).rejects.toMatchObject({
    ...refused,
    path: 'input.principalId',
  })
  expect([await decide(me, toBoard), await decide(me, toLegal)]).toEqual(['NOT_A_DECIDER', 'NOT_A_DECIDER'])
  const denials = await world.asOwner(
    `select actor_id from audit_entry where organization_id = $1 and action_type = 'denial' and actor_id = $2`,
    [admin.organizationId, me.id],
  )
  expect(denials).toHaveLength(4)

  // What they have already, and what is others', they may still give.
  await join(admin)
  await expect(assignRole(world, me, { role: 'legal', groupId: group.id })).rejects.toMatchObject(refused)
  await setGroup(world, me, { name: 'board', description: 'The board', memberIds: [chair.id, me.id] })
  await assignRole(world, admin, { role: 'legal', principalId: me.id })
  await assignRole(world, me, { role: 'legal', groupId: group.id })
  expect([await decide(me, toBoard), await decide(chair, toLegal)]).toEqual(['approved', 'approved'])
})

test('a yes by a right that was taken back before its time counts no more; one whose time is over does', async () => {
  const [ada, ben] = [await keyOf(admin, 'Ada'), await keyOf(admin, 'Ben', { roles: ['viewer'] })]
  const operator = colleague(admin, 'operator')
  const countsAfter = async (change: (delegationId: string) => Promise<unknown>) => {
    const until = new Date(Date.now() + 3_600_000)
    const { id } = await delegateApprovals(world, ada, { to: ben.id, until })
    const asked = await ask(operator)
    const done = await decideApproval(world, ben, { id: asked.id, decision: 'APPROVE' })
    await change(id)
    const digest = approvedDigest(done) ?? expect.unreachable()
    const use = await useApproval(world, operator, { approvalId: asked.id, digest, by: 'x' })
    return use.allowed || use.reason
  }
  expect(await countsAfter((id) => endDelegation(world, ada, { id }))).toBe('decider_lost')
  const isOver = (id: string) =>
    world.asOwner('update approval_delegation set ends_at = clock_timestamp() where id = $1', [id])
  expect(await countsAfter(isOver)).toBe(true)
})

test('a yes counts as long as its decider has one of the names by which they said it', async () => {
  const ceo = await keyOf(admin, 'Ceo')
  const other = await keyOf(admin, 'Other')
  const operator = colleague(admin, 'operator')
  const inGroup = (name: string, ...members: Actor[]) =>
    setGroup(world, admin, { name, memberIds: members.map(({ id }) => id) })
  /** Whether what the CEO approved may be done when they are in one group less, and another change was made. */
  const countsWithout = async (group: string, stage: object, change = async (_id: string) => {}) => {
    await inGroup('board', ceo, other)
    await inGroup('signers', ceo, other)
    const asked = await ask(operator, { stages: [stage] })
    const done = await decideApproval(world, ceo, { id: asked.id, decision: 'APPROVE' })
    await inGroup(group, other)
    await change(asked.id)
    const use = await useApproval(world, operator, {
      approvalId: asked.id,
      digest: approvedDigest(done) ?? expect.unreachable(),
      by: 'x',
    })
    return use.allowed || use.reason
  }
  const signers = await inGroup('signers', ceo, other)
  await assignRole(world, admin, { groupId: signers.id, role: 'admin', reason: 'r' })

  expect(await countsWithout('board', { groups: ['board'] })).toBe('decider_lost')
  expect(await countsWithout('board', { groups: ['board'], roles: ['operator'] })).toBe('decider_lost')
  expect(await countsWithout('board', { groups: ['board', 'signers'] })).toBe(true)
  expect(await countsWithout('board', { groups: ['board'], people: [ceo.id] })).toBe(true)
  expect(await countsWithout('board', { groups: ['board'], roles: ['approver'] })).toBe(true)
  // A role that they had by the group.
  expect(await countsWithout('signers', { roles: ['admin'] })).toBe('decider_lost')
  expect(await countsWithout('board', { roles: ['admin'] })).toBe(true)
  // By what they are named now, and were not then, they did not say it.
  const openToRoles = (id: string) =>
    world.asOwner(
      `update approval set stages = jsonb_set(stages, '{0,roles}', '["admin", "approver"]') where id = $1`,
      [id],
    )
  const stage = { groups: ['board'] }
  expect(await countsWithout('board', stage, async (id) => void (await openToRoles(id)))).toBe('decider_lost')

  // Of a decision of before it was kept by what: whoever never logged in has what is kept here, and no more.
  const asBefore = async (id: string) =>
    void (await world.asOwner('update approval_decision set named_by = null where approval_id = $1', [id]))
  const both = { groups: ['board'], roles: ['operator'] }
  expect(await countsWithout('board', both, asBefore)).toBe('decider_lost')
  expect(await countsWithout('board', { groups: ['board', 'signers'] }, asBefore)).toBe(true)
  const known = async (id: string) => {
    await asBefore(id)
    await world.asOwner(`update principal set issuer = 'https://idp', subject = 'ceo' where id = $1`, [
      ceo.id,
    ])
  }
  expect(await countsWithout('board', both, known)).toBe(true)
})
