import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { authorize } from '../authority/authorize.ts'
import { decisionLogOf } from '../authority/decision-log.ts'
import { colleague, openWorld, type World } from '../testing/open-world.ts'

let world: World
let admin: Actor
let approver: Actor

beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())
beforeEach(async () => {
  admin = await world.organization()
  approver = colleague(admin, 'approver')
})

const FIELDS = `policy { id kind active { number effect reviewedBy } versions { number status } }`
const MUTATIONS = {
  create: `mutation ($input: CreatePolicyInput!) { it: createPolicy(input: $input) { ${FIELDS} } }`,
  update: `mutation ($input: UpdatePolicyInput!) { it: updatePolicy(input: $input) { ${FIELDS} } }`,
  submit: `mutation ($input: SubmitPolicyInput!) { it: submitPolicy(input: $input) { ${FIELDS} } }`,
  review: `mutation ($input: ReviewPolicyInput!) { it: reviewPolicy(input: $input) { ${FIELDS} } }`,
  retire: `mutation ($input: RetirePolicyInput!) { it: retirePolicy(input: $input) { ${FIELDS} } }`,
}
interface Shown {
  id: string
  active: { number: number } | null
  versions: { number: number; status: string }[]
}

/** Calls one of the mutations; the policy after it, and the error's code. */
async function act(actor: Actor, which: keyof typeof MUTATIONS, input: object) {
  const { data, code, extensions } = await world.ask(actor, MUTATIONS[which], { input })
  const policy = data['it']?.['policy'] as Shown | undefined
  return {
    code,
    extensions,
    id: policy?.id ?? '',
    policy,
    statuses: policy?.versions.map(({ status }) => status),
  }
}

/** A policy that somebody else has put into force. */
async function enforce(rules: object): Promise<string> {
  const { id, code } = await act(admin, 'create', { name: 'a policy', kind: 'ACCESS', ...rules })
  expect(code).toBeNull()
  await act(admin, 'submit', { id })
  expect((await act(approver, 'review', { id, version: 1, decision: 'APPROVE' })).code).toBeNull()
  return id
}
const RULES = { actions: ['tool.call'], effect: 'DENY', condition: 'resource.name == "refund"' }
const refund = { action: 'tool.call', resource: { type: 'tool', name: 'refund' } }
const rulingOf = async (actor: Actor, question: Parameters<typeof authorize>[2] = refund) =>
  (await authorize(world, actor, question)).ruling

test('a policy goes from draft to review to active, by two people, and is retired', async () => {
  const { id, statuses } = await act(admin, 'create', { name: 'no refunds', kind: 'ACCESS', ...RULES })
  expect(statuses).toEqual(['DRAFT'])
  expect((await act(approver, 'review', { id, version: 1, decision: 'APPROVE' })).code).toBe('INVALID_STATE')
  expect((await act(admin, 'submit', { id })).statuses).toEqual(['IN_REVIEW'])
  expect((await act(admin, 'review', { id, version: 1, decision: 'APPROVE' })).code).toBe(
    'SEPARATION_OF_DUTIES',
  )
  expect((await act(approver, 'review', { id, version: 2, decision: 'APPROVE' })).code).toBe('CONFLICT')
  expect(await world.denials(admin)).toEqual(['operation/Mutation.reviewPolicy'])
  expect(await rulingOf(admin)).toBe('allow')

  const active = await act(approver, 'review', { id, version: 1, decision: 'APPROVE', comment: 'fine' })
  expect(active.policy?.active).toEqual({ number: 1, effect: 'DENY', reviewedBy: 'approver' })
  expect(await rulingOf(admin)).toBe('deny')
  expect(await rulingOf(admin, { action: 'tool.call', resource: { type: 'tool', name: 'search' } })).toBe(
    'allow',
  )

  // A new draft changes nothing until it is approved; then it takes the other's place.
  expect((await act(admin, 'update', { id, ...RULES, effect: 'ALLOW' })).statuses).toEqual([
    'DRAFT',
    'ACTIVE',
  ])
  expect((await act(admin, 'update', { id, ...RULES, condition: 'false' })).statuses).toEqual([
    'DRAFT',
    'RETIRED',
    'ACTIVE',
  ])
  expect(await rulingOf(admin)).toBe('deny')
  await act(admin, 'submit', { id })
  const second = await act(approver, 'review', { id, version: 3, decision: 'APPROVE' })
  expect(second.statuses).toEqual(['ACTIVE', 'RETIRED', 'RETIRED'])
  expect(await rulingOf(admin)).toBe('allow')

  expect((await act(admin, 'retire', { id, reason: 'not needed' })).policy?.active?.number).toBe(3)
  const retired = await act(approver, 'review', { id, version: 4, decision: 'APPROVE' })
  expect([retired.code, retired.policy?.active, new Set(retired.statuses)]).toEqual([
    null,
    null,
    new Set(['RETIRED']),
  ])
  expect((await act(admin, 'retire', { id, reason: 'again' })).code).toBe('INVALID_STATE')
  const changes = await world.events(admin, 'policy.changed')
  expect(changes.map(({ data }) => `${String(data['version'])} ${String(data['change'])}`)).toEqual([
    '1 created',
    '1 submitted',
    '1 activated',
    '2 updated',
    '3 updated',
    '3 submitted',
    '3 activated',
    '4 submitted',
    '4 retired',
  ])
})

test('what keeps somebody from something is taken out of force by two people, as it was put into it', async () => {
  const id = await enforce(RULES)
  const listed = async () => {
    const { data } = await world.ask(
      admin,
      '{ policies(status: IN_REVIEW) { nodes { id versions { number retires description effect writtenBy } } } }',
    )
    return data['policies']?.['nodes']
  }
  const asked = await act(admin, 'retire', { id, reason: 'in the way' })
  expect([asked.code, asked.statuses, await rulingOf(admin)]).toEqual([null, ['IN_REVIEW', 'ACTIVE'], 'deny'])
  expect(await listed()).toMatchObject([
    {
      id,
      versions: [{ number: 2, retires: true, description: 'in the way', effect: 'DENY' }, { retires: false }],
    },
  ])
  const approve = { id, version: 2, decision: 'APPROVE' }
  expect((await act(admin, 'review', approve)).code).toBe('SEPARATION_OF_DUTIES')
  expect(await world.denials(admin)).toEqual(['operation/Mutation.reviewPolicy'])
  // Again it changes nothing, and whoever says no has the last word.
  expect((await act(admin, 'retire', { id, reason: 'again' })).extensions['hint']).toContain('Version 2')
  const kept = await act(approver, 'review', { ...approve, decision: 'REJECT', comment: 'it has to be' })
  expect([kept.statuses, await rulingOf(admin)]).toEqual([['REJECTED', 'ACTIVE'], 'deny'])

  // A draft in its place ends it, and what asks only later counts too.
  await act(admin, 'retire', { id, reason: 'once more' })
  const later = {
    ...RULES,
    effect: 'ESCALATE',
    escalateTo: 'person',
    effectiveFrom: new Date(Date.now() + 86_400_000),
  }
  expect((await act(admin, 'update', { id, ...later })).statuses?.slice(0, 2)).toEqual(['DRAFT', 'RETIRED'])
  await act(admin, 'submit', { id })
  await act(approver, 'review', { id, version: 4, decision: 'APPROVE' })
  const both = await act(admin, 'retire', { id, reason: 'neither' })
  expect(both.statuses?.filter((status) => status !== 'RETIRED')).toEqual([
    'IN_REVIEW',
    'SCHEDULED',
    'REJECTED',
    'ACTIVE',
  ])
  const done = await act(approver, 'review', { id, version: 5, decision: 'APPROVE' })
  expect([done.policy?.active, done.statuses?.filter((status) => status !== 'RETIRED')]).toEqual([
    null,
    ['REJECTED'],
  ])
  expect(await rulingOf(admin)).toBe('allow')

  // What only says yes, and what nobody has approved, is over at once.
  const yes = await enforce({ ...RULES, name: 'yes', effect: 'ALLOW' })
  expect((await act(admin, 'retire', { id: yes, reason: 'idle' })).statuses).toEqual(['RETIRED'])
  const { id: draft } = await act(admin, 'create', { name: 'draft', kind: 'ACCESS', ...RULES })
  expect((await act(admin, 'retire', { id: draft, reason: 'idle' })).statuses).toEqual(['RETIRED'])
})

test('what policies about an action ask for together is no more than an approval takes', async () => {
  const asking = (name: string, actions = ['tool.*']) => ({
    name,
    kind: 'ACCESS',
    actions,
    effect: 'REQUIRE_APPROVAL',
    stages: Array.from({ length: 10 }, (_, place) => ({ people: [`${name} ${place}`] })),
  })
  const same = [await enforce(asking('p0'))]
  const ids: string[] = []
  for (const name of ['p1', 'p2', 'p3', 'p4']) ids.push(await enforce(asking(name, ['*'])))
  // The same people in another policy are asked once; and what is about another action is another matter.
  same.push(await enforce({ ...asking('p0'), name: 'p5' }))
  const { id } = await act(admin, 'create', asking('p6', ['tool.call']))
  await act(admin, 'submit', { id })
  const approve = { id, version: 1, decision: 'APPROVE' }
  const refused = await act(approver, 'review', approve)
  expect([refused.code, refused.extensions['argument']]).toEqual(['INVALID_STATE', 'input.id'])
  // From when on one of them asks for nothing there is room, and not before.
  const moment = new Date(Date.now() + 86_400_000)
  const [, freed = ''] = ids
  await act(admin, 'update', { id: freed, ...RULES, effectiveFrom: moment })
  await act(admin, 'submit', { id: freed })
  expect((await act(approver, 'review', { id: freed, version: 2, decision: 'APPROVE' })).code).toBeNull()
  const later = await act(admin, 'create', { ...asking('p9'), effectiveFrom: moment })
  await act(admin, 'submit', { id: later.id })
  expect((await act(approver, 'review', { ...approve, id: later.id })).code).toBeNull()
  expect((await act(approver, 'review', approve)).code).toBe('INVALID_STATE')
  expect((await act(admin, 'retire', { id: later.id, reason: 'tried' })).code).toBeNull()
  for (const [place, each] of same.entries()) {
    await act(admin, 'retire', { id: each, reason: 'too many' })
    expect((await act(approver, 'review', { id: each, version: 2, decision: 'APPROVE' })).code).toBeNull()
    expect((await act(approver, 'review', approve)).code).toBe(place === 0 ? 'INVALID_STATE' : null)
  }
  await enforce({ ...asking('p7'), actions: ['money.spend'], stages: [{ needed: 20, roles: ['approver'] }] })
  const wrong = await act(admin, 'create', {
    ...asking('p8'),
    stages: [
      { needed: 21, roles: ['approver'] },
      { needed: 2, people: ['ada', 'ada'] },
    ],
  })
  expect([wrong.code, wrong.extensions['problems']]).toMatchObject([
    'BAD_INPUT',
    [{ path: 'input.stages.0.needed' }, { path: 'input.stages.1.needed' }],
  ])
})

test('what was turned down is written anew', async () => {
  const { id } = await act(admin, 'create', { name: 'p', kind: 'QUALITY', ...RULES })
  await act(admin, 'submit', { id })
  const rejected = await act(approver, 'review', {
    id,
    version: 1,
    decision: 'REJECT',
    comment: 'too strict',
  })
  expect(rejected.statuses).toEqual(['REJECTED'])
  expect((await act(admin, 'submit', { id })).code).toBe('INVALID_STATE')
  expect((await act(admin, 'update', { id, ...RULES })).statuses).toEqual(['DRAFT', 'REJECTED'])
})

test('what a version says cannot be changed, whoever writes to the table', async () => {
  const id = await enforce(RULES)
  const change = (what: string) =>
    world.database.inTenant(admin, (tx) =>
      tx.sql(`update policy_version set ${what} where policy_id = $1::uuid returning id`, id),
    )
  await expect(change("effect = 'allow'")).rejects.toThrow('cannot be changed')
  await expect(change("actions = '{}'")).rejects.toThrow('cannot be changed')
  expect(await change("review_comment = 'x'")).toHaveLength(1)
})

test('all mistakes are told at once, with their paths', async () => {
  const { code, extensions } = await act(admin, 'create', {
    name: ' ',
    kind: 'ACCESS',
    actions: ['tool.call', 'world.rule'],
    condition: 'user.name == "x" && actor.email == "y"',
    effect: 'REQUIRE_APPROVAL',
    escalateTo: 'moon',
    redact: ['card'],
    priority: 5_000,
    effectiveFrom: '2031-01-01T00:00:00Z',
    effectiveUntil: '2030-01-01T00:00:00Z',
  })
  expect(code).toBe('BAD_INPUT')
  const problems = extensions['problems'] as { path: string }[]
  expect(problems.map(({ path }) => path).sort()).toEqual([
    'input.actions.1',
    'input.condition',
    'input.condition',
    'input.effectiveUntil',
    'input.escalateTo',
    'input.escalateTo',
    'input.name',
    'input.priority',
    'input.redact',
    'input.redact.0',
    'input.stages',
  ])
})

test('a name is given once', async () => {
  await act(admin, 'create', { name: 'p', kind: 'ACCESS', ...RULES })
  expect((await act(admin, 'create', { name: 'p', kind: 'ACCESS', ...RULES })).code).toBe('CONFLICT')
})

test('a policy that cannot be evaluated denies, and opens one incident', async () => {
  const id = await enforce({ ...RULES, effect: 'ALLOW', condition: 'context.amount > 100' })
  const { ruling, reasons } = await authorize(world, admin, refund)
  expect([ruling, reasons[1]]).toEqual(['deny', expect.stringContaining('could not be evaluated')])
  expect(await rulingOf(admin)).toBe('deny')
  expect(await rulingOf(admin, { ...refund, context: { amount: 5 } })).toBe('allow')
  const failed = await world.events(admin, 'policy.failed')
  expect(failed.map(({ data }) => data)).toEqual([
    expect.objectContaining({ policyId: id, version: 1, action: 'tool.call' }),
  ])
  const { data } = await world.ask(admin, '{ incidents { nodes { title severity } } }')
  expect(data['incidents']?.['nodes']).toEqual([
    { title: 'Policy a policy cannot be evaluated', severity: 'SEV_2' },
  ])
})

test('what PostgreSQL cannot keep of a failure makes it no other: it denies and is on record', async () => {
  await enforce({ ...RULES, effect: 'ALLOW', condition: 'context.arguments[context.arguments.key] == 1' })
  for (const key of ['a\0b', '\ud800'])
    expect(await rulingOf(admin, { ...refund, arguments: { key } })).toBe('deny')
  expect(await world.events(admin, 'policy.failed')).toHaveLength(1)
  await decisionLogOf(world.database).flush()
  const count = 'select count(*)::int as count from policy_decision where organization_id = $1::uuid'
  expect(await world.database.readTenant(admin, count, [admin.organizationId])).toEqual([{ count: 2 }])
})

test('effect dates are heeded at the moment of the question', async () => {
  const [from, until] = [new Date(Date.now() + 3_600_000), new Date(Date.now() + 7_200_000)]
  await enforce({ ...RULES, effectiveFrom: from.toISOString(), effectiveUntil: until.toISOString() })
  const ruledAt = (time: Date) => rulingOf(admin, { ...refund, context: { time } })
  expect([await ruledAt(new Date()), await ruledAt(from), await ruledAt(until)]).toEqual([
    'allow',
    'deny',
    'allow',
  ])
})

test('a version that begins later takes over then, and the one before holds until then', async () => {
  const id = await enforce(RULES)
  const next = async (version: number, rules: object) => {
    await act(admin, 'update', { id, ...RULES, ...rules })
    await act(admin, 'submit', { id })
    return act(approver, 'review', { id, version, decision: 'APPROVE' })
  }
  const ruledAt = (time: Date) => rulingOf(admin, { ...refund, context: { time } })
  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000)
  const [tenth, twentieth, thirtieth] = [inDays(10), inDays(20), inDays(30)]
  const listed = async (status: string) => {
    const { data } = await world.ask(
      admin,
      `{ policies(status: ${status}) { nodes { id active { number } } } }`,
    )
    return data['policies']?.['nodes']
  }

  const later = await next(2, { effect: 'ESCALATE', escalateTo: 'person', effectiveFrom: thirtieth })
  expect([later.statuses, later.policy?.active?.number]).toEqual([['SCHEDULED', 'ACTIVE'], 1])
  expect(await rulingOf(admin)).toBe('deny')
  expect(await ruledAt(new Date(thirtieth.getTime() - 1))).toBe('deny')
  expect(await ruledAt(thirtieth)).toBe('escalate')
  expect(await listed('ACTIVE')).toEqual([{ id, active: { number: 1 } }])
  expect(await listed('SCHEDULED')).toEqual([{ id, active: { number: 1 } }])
  expect(await listed('RETIRED')).toEqual([])

  // One written after it that begins before it: that one never comes.
  const sooner = await next(3, { effect: 'ALLOW', effectiveFrom: tenth, effectiveUntil: twentieth })
  expect([sooner.statuses, sooner.policy?.active?.number]).toEqual([['SCHEDULED', 'RETIRED', 'ACTIVE'], 1])
  expect([await rulingOf(admin), await ruledAt(tenth), await ruledAt(thirtieth)]).toEqual([
    'deny',
    'allow',
    'allow',
  ])
  expect((await world.events(admin, 'policy.changed')).at(-1)?.data['change']).toBe('scheduled')

  // When its time comes it has taken over, and nobody had to do anything for it.
  const moment = new Date(Date.now() + 50)
  await next(4, { effect: 'ALLOW', effectiveFrom: moment })
  await expect.poll(() => listed('ACTIVE')).toEqual([{ id, active: { number: 4 } }])
  expect(await listed('SCHEDULED')).toEqual([])
  expect(await rulingOf(admin)).toBe('allow')
  const retired = await act(admin, 'retire', { id, reason: 'not needed' })
  expect([retired.policy?.active, new Set(retired.statuses)]).toEqual([null, new Set(['RETIRED'])])
  expect((await act(admin, 'retire', { id, reason: 'again' })).code).toBe('INVALID_STATE')
})

test('what is over before it is approved takes nothing out of force', async () => {
  const id = await enforce(RULES)
  const until = new Date(Date.now() + 86_400_000)
  await act(admin, 'update', { id, ...RULES, effectiveUntil: until })
  await act(admin, 'submit', { id })
  await world.asOwner(`alter table policy_version disable trigger policy_version_fixed`)
  await world.asOwner(
    `update policy_version set effective_until = now() where policy_id = $1::uuid and number = 2`,
    [id],
  )
  await world.asOwner(`alter table policy_version enable trigger policy_version_fixed`)
  expect((await act(approver, 'review', { id, version: 2, decision: 'APPROVE' })).code).toBe('INVALID_STATE')
  expect(await rulingOf(admin)).toBe('deny')
  expect((await act(approver, 'review', { id, version: 2, decision: 'REJECT' })).code).toBeNull()
})

const EXCEPT = `mutation ($input: RequestPolicyExceptionInput!) {
  requestPolicyException(input: $input) { exception { id status } }
}`
const DECIDE = `mutation ($input: DecidePolicyExceptionInput!) {
  decidePolicyException(input: $input) { exception { status decidedBy } }
}`

test('an exception holds for whom it was approved by another, until it ends or is taken back', async () => {
  const policyId = await enforce(RULES)
  const operator = colleague(admin, 'operator')
  const other = colleague(admin, 'operator', 'another-operator')
  const expiresAt = new Date(Date.now() + 3_600_000)
  const { data } = await world.ask(operator, EXCEPT, {
    input: { policyId, reason: 'an old order', actors: [operator.id], resources: ['tool/*'], expiresAt },
  })
  const asked = data['requestPolicyException']?.['exception'] as { id: string; status: string }
  expect(asked.status).toBe('requested')
  expect(await rulingOf(operator)).toBe('deny')
  const decide = async (actor: Actor, decision: string) =>
    (await world.ask(actor, DECIDE, { input: { id: asked.id, decision } })).code
  expect(await decide(operator, 'APPROVE')).toBe('FORBIDDEN')
  expect(await decide({ ...admin, id: operator.id }, 'APPROVE')).toBe('SEPARATION_OF_DUTIES')
  expect(await world.denials(admin)).toEqual(['operation/Mutation.decidePolicyException'])
  expect(await decide(admin, 'REVOKE')).toBe('INVALID_STATE')
  expect(await decide(admin, 'APPROVE')).toBeNull()
  expect(await decide(admin, 'REJECT')).toBe('ALREADY_DECIDED')
  expect([await rulingOf(operator), await rulingOf(other)]).toEqual(['allow', 'deny'])
  expect(await rulingOf(operator, { ...refund, context: { time: expiresAt } })).toBe('deny')
  expect(await decide(admin, 'REVOKE')).toBeNull()
  expect(await rulingOf(operator)).toBe('deny')
  expect(
    (await world.events(admin, 'policy_exception.changed')).map(({ data: said }) => said['change']),
  ).toEqual(['requested', 'approved', 'revoked'])
})

test('an exception is from the version that its reviewer saw, and from no other', async () => {
  const id = await enforce(RULES)
  const operator = colleague(admin, 'operator')
  const expiresAt = new Date(Date.now() + 3_600_000)
  const except = async (version?: number) => {
    const input = { policyId: id, version, reason: 'an old order', actors: [operator.id], expiresAt }
    const { data, code, extensions } = await world.ask(operator, EXCEPT, { input })
    const asked = data['requestPolicyException']?.['exception'] as { id: string } | undefined
    return { code, argument: extensions['argument'], exception: asked?.id ?? '' }
  }
  const approve = async (exception: string) =>
    (await world.ask(admin, DECIDE, { input: { id: exception, decision: 'APPROVE' } })).code
  const first = await except()
  const slow = await except(1)
  expect([await approve(first.exception), await rulingOf(operator)]).toEqual([null, 'allow'])

  await act(admin, 'update', { id, ...RULES, condition: 'true' })
  const ahead = await except(2)
  expect(await approve(ahead.exception)).toBeNull()
  expect([(await except(3)).code, (await except(3)).argument]).toEqual(['NOT_FOUND', 'input.version'])
  await act(admin, 'submit', { id })
  expect(await rulingOf(operator)).toBe('allow')
  await act(approver, 'review', { id, version: 2, decision: 'APPROVE' })
  // What was said of the version before is said of this one too, where somebody said so.
  expect(await rulingOf(operator)).toBe('allow')
  await world.ask(admin, DECIDE, { input: { id: ahead.exception, decision: 'REVOKE' } })
  expect(await rulingOf(operator)).toBe('deny')
  expect([await approve(slow.exception), (await except(1)).code]).toEqual(['INVALID_STATE', 'INVALID_STATE'])
  const { data } = await world.ask(admin, `{ policy(id: "${id}") { exceptions { version status } } }`)
  expect(data['policy']?.['exceptions']).toEqual([
    { version: 2, status: 'revoked' },
    { version: 1, status: 'requested' },
    { version: 1, status: 'approved' },
  ])
})

test('an exception says for whom or what, and ends within 90 days', async () => {
  const policyId = await enforce(RULES)
  const { extensions } = await world.ask(admin, EXCEPT, {
    input: { policyId, reason: 'r', expiresAt: new Date(Date.now() + 100 * 86_400_000) },
  })
  const problems = extensions['problems'] as { path: string }[]
  expect(problems.map(({ path }) => path).sort()).toEqual(['input.actors', 'input.expiresAt'])
})

test('policies are listed by kind and state', async () => {
  await enforce(RULES)
  await act(admin, 'create', { name: 'draft', kind: 'QUALITY', ...RULES })
  const list = async (filter: string) => {
    const { data } = await world.ask(admin, `{ policies(${filter}) { nodes { name } } }`)
    const nodes = data['policies']?.['nodes'] as { name: string }[] | undefined
    return nodes?.map(({ name }) => name)
  }
  expect(await list('first: 10')).toEqual(['draft', 'a policy'])
  expect(await list('kind: QUALITY')).toEqual(['draft'])
  expect(await list('status: ACTIVE')).toEqual(['a policy'])
})
