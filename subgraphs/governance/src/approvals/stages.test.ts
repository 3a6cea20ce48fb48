import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openDesk } from '../testing/open-desk.ts'
import { colleague, openWorld, type World } from '../testing/open-world.ts'
import { settleDueApprovals } from './settle-due-approvals.ts'
import { useApproval } from './use-approval.ts'

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

const APPROVAL = `approval { id digest approvedDigest status stage round comment arguments finalArguments expiresAt usedBy
  stages { name needed given roles onDeadline } decidedBy { id kind }
  decisions { decision round stage decidedBy { id kind } onBehalfOf { id } comment asked } }`
interface Approval {
  id: string
  digest: string
  approvedDigest: string | null
}
const refund = { title: 'Refund?', action: 'refund', arguments: { amount: 900 }, reason: 'broken' }

async function asked(more: object = {}, by: Actor = operator): Promise<Approval> {
  const { data, code, extensions } = await world.ask(
    by,
    `mutation ($input: RequestApprovalInput!) { requestApproval(input: $input) { ${APPROVAL} } }`,
    { input: { ...refund, idempotencyKey: crypto.randomUUID(), ...more } },
  )
  expect([code, extensions]).toEqual([null, {}])
  return data['requestApproval']?.['approval'] as Approval
}
async function change(by: Actor, field: string, input: object) {
  const type = `${field[0]?.toUpperCase()}${field.slice(1)}Input`
  const { data, code, extensions } = await world.ask(
    by,
    `mutation ($input: ${type}!) { ${field}(input: $input) { ${APPROVAL} } }`,
    { input },
  )
  return { code, hint: String(extensions['hint'] ?? ''), approval: data[field]?.['approval'] as Approval }
}
const decide = (by: Actor, id: string, decision: string, more: object = {}) =>
  change(by, 'decideApproval', { id, decision, ...more })
const eventsOf = async () =>
  (await world.events(admin)).map(({ type }) => type).filter((type) => type.startsWith('approval'))
const denials = async () =>
  (
    await world.database.readTenant<{ code: string; actorId: string }>(
      admin,
      `select outcome as code, actor_id as "actorId" from audit_entry
       where organization_id = $1 and action_type = 'denial' order by id`,
      [admin.organizationId],
    )
  ).map(({ code, actorId }): [string, string] => [code, actorId])

/** A person with a key, in groups and teams. */
async function member(name: string, groups: string[], teamIds: string[] = []): Promise<Actor> {
  const [row] = await world.database.inTenant(admin, (tx) =>
    tx.sql<{ id: string }>(
      `insert into principal (organization_id, kind, name, roles, groups, team_ids)
       values ($1::uuid, 'person', $2, array['approver'], array(select jsonb_array_elements_text($3::jsonb)),
         array(select jsonb_array_elements_text($4::jsonb)::uuid)) returning id`,
      admin.organizationId,
      name,
      JSON.stringify(groups),
      JSON.stringify(teamIds),
    ),
  )
  return colleague(admin, 'approver', row?.id)
}

const letTimePass = (id: string, column: 'expires_at' | 'remind_at') =>
  world.database.inTenant(admin, (tx) =>
    tx.sql(
      `update approval set ${column} = now() - interval '1 second' where id = $1::uuid returning id`,
      id,
    ),
  )

test('stages come one after the other, each with its quorum of different people', async () => {
  const { id } = await asked({
    risk: 'HIGH',
    costUsd: 900,
    preview: { before: 0, after: 900 },
    stages: [
      { name: 'peers', needed: 2 },
      { name: 'board', roles: ['admin'] },
    ],
  })
  expect((await decide(ada, id, 'APPROVE')).approval).toMatchObject({
    status: 'PENDING',
    stage: 0,
    stages: [{ given: 1 }, { given: 0 }],
  })
  expect((await decide(ada, id, 'APPROVE')).code).toBeNull()
  expect(await decide(ada, id, 'REJECT')).toMatchObject({ code: 'SEPARATION_OF_DUTIES' })
  expect((await decide(ben, id, 'APPROVE')).approval).toMatchObject({ stage: 1, stages: [{ given: 2 }, {}] })
  expect((await decide(cleo, id, 'APPROVE')).code).toBe('NOT_A_DECIDER')
  expect((await decide(admin, id, 'APPROVE')).approval).toMatchObject({
    status: 'APPROVED',
    decisions: [{ decidedBy: { id: 'ada' } }, { decidedBy: { id: 'ben' } }, { stage: 1 }],
  })
  expect(await eventsOf()).toEqual([
    'approval.requested',
    'approval.endorsed',
    'approval.endorsed',
    'approval.decided',
  ])
  expect(await denials()).toEqual([
    ['SEPARATION_OF_DUTIES', 'ada'],
    ['NOT_A_DECIDER', 'cleo'],
  ])
})

test('a no in any stage ends it', async () => {
  const { id } = await asked({ stages: [{ needed: 2 }, { roles: ['admin'] }] })
  await decide(ada, id, 'APPROVE')
  expect((await decide(ben, id, 'REJECT', { comment: 'no' })).approval).toMatchObject({ status: 'REJECTED' })
  expect((await decide(cleo, id, 'APPROVE')).code).toBe('ALREADY_DECIDED')
})

test('a stage names people, groups and teams, and nobody else decides', async () => {
  const team = crypto.randomUUID()
  const [fay, gus] = [await member('fay', ['finance']), await member('gus', [], [team])]
  const { id } = await asked({ stages: [{ groups: ['finance'] }, { teamIds: [team] }, { people: ['ben'] }] })
  expect((await decide(gus, id, 'APPROVE')).code).toBe('NOT_A_DECIDER')
  expect((await decide(fay, id, 'APPROVE')).code).toBeNull()
  expect((await decide(fay, id, 'REJECT')).code).toBe('SEPARATION_OF_DUTIES')
  expect((await decide(gus, id, 'APPROVE')).code).toBeNull()
  expect((await decide(admin, id, 'APPROVE')).code).toBe('NOT_A_DECIDER')
  expect((await decide(ben, id, 'APPROVE')).approval).toMatchObject({ status: 'APPROVED' })
})

test('an author cannot decide, nor an agent, and each refusal is in the trail', async () => {
  const { id } = await asked({ authors: ['ada'] })
  const agent = { ...colleague(admin, 'approver', 'bot'), kind: 'agent' as const }
  expect(await decide(ada, id, 'APPROVE')).toMatchObject({ code: 'SEPARATION_OF_DUTIES', hint: /AUTHOR/ })
  expect(await decide(agent, id, 'APPROVE')).toMatchObject({ code: 'SEPARATION_OF_DUTIES', hint: /AGENT/ })
  expect((await decide(ben, id, 'APPROVE', { digest: 'f'.repeat(64) })).code).toBe('CONFLICT')
  expect(await denials()).toEqual([
    ['SEPARATION_OF_DUTIES', 'ada'],
    ['SEPARATION_OF_DUTIES', 'bot'],
    ['CONFLICT', 'ben'],
  ])
})

test('what goes back for changes is asked anew, and decided anew by the same people', async () => {
  const { id, digest } = await asked({ stages: [{ needed: 2 }] })
  await decide(ada, id, 'APPROVE')
  expect((await decide(ben, id, 'REQUEST_CHANGES')).code).toBe('BAD_INPUT')
  expect((await decide(ben, id, 'REQUEST_CHANGES', { comment: 'half of it' })).approval).toMatchObject({
    status: 'CHANGES_REQUESTED',
    comment: 'half of it',
  })
  expect(await decide(cleo, id, 'APPROVE')).toMatchObject({ code: 'INVALID_STATE' })
  const half = { id, arguments: { amount: 450 } }
  expect((await change(colleague(admin, 'operator', 'otto'), 'resubmitApproval', half)).code).toBe(
    'SEPARATION_OF_DUTIES',
  )
  const again = await change(operator, 'resubmitApproval', half)
  expect(again.approval).toMatchObject({ status: 'PENDING', round: 2, stage: 0, arguments: { amount: 450 } })
  expect((await change(operator, 'resubmitApproval', half)).approval).toMatchObject({ round: 2 })
  expect(again.approval.digest).not.toBe(digest)
  // A click on the page of before is not one on this.
  for (const more of [{}, { digest }]) expect((await decide(ada, id, 'APPROVE', more)).code).toBe('CONFLICT')
  const shown = { digest: again.approval.digest }
  await decide(ada, id, 'APPROVE', shown)
  expect((await decide(ben, id, 'APPROVE', shown)).approval).toMatchObject({
    status: 'APPROVED',
    decisions: [
      { round: 1, decision: 'APPROVE' },
      { round: 1, decision: 'REQUEST_CHANGES', asked: { amount: 900 } },
      { round: 2 },
      { round: 2 },
    ],
  })
})

test('other arguments are for who decides alone, and only where they are allowed', async () => {
  const finalArguments = { amount: 1 }
  const several = await asked({ stages: [{ needed: 2 }] })
  expect((await decide(ada, several.id, 'APPROVE', { finalArguments })).code).toBe('INVALID_STATE')
  const fixed = await asked({ allowsChanges: false })
  expect((await decide(ada, fixed.id, 'APPROVE', { finalArguments })).code).toBe('INVALID_STATE')
  const free = await asked()
  const { approval } = await decide(ada, free.id, 'APPROVE', { finalArguments })
  expect(approval.approvedDigest).not.toBe(free.digest)
})

test('other arguments fit the schema of the approval, by whomever they are put, or every mistake is told', async () => {
  const argumentsSchema = {
    type: 'object',
    required: ['amount'],
    properties: { amount: { maximum: 900 }, note: { type: 'string' } },
  }
  const misfit = { amount: 901, note: [] }
  const told = async (by: Actor, field: string, input: object) => {
    const type = `${field[0]?.toUpperCase()}${field.slice(1)}Input`
    const { code, extensions } = await world.ask(
      by,
      `mutation ($input: ${type}!) { ${field}(input: $input) { approval { id } } }`,
      { input },
    )
    const { problems } = extensions
    return [code, Array.isArray(problems) ? problems.map(({ path }) => String(path)).toSorted() : []]
  }
  const { id } = await asked({ argumentsSchema })
  expect(await told(ada, 'decideApproval', { id, decision: 'APPROVE', finalArguments: misfit })).toEqual([
    'BAD_INPUT',
    ['input.finalArguments.amount', 'input.finalArguments.note'],
  ])
  expect((await decide(ada, id, 'REQUEST_CHANGES', { comment: 'Less.' })).code).toBeNull()
  expect(await told(operator, 'resubmitApproval', { id, arguments: misfit })).toEqual([
    'BAD_INPUT',
    ['input.arguments.amount', 'input.arguments.note'],
  ])
  const { approval } = await change(operator, 'resubmitApproval', { id, arguments: { amount: 450 } })
  const finalArguments = { amount: 400 }
  expect(
    (await decide(ben, id, 'APPROVE', { finalArguments, digest: approval.digest })).approval,
  ).toMatchObject({
    finalArguments,
  })
  const shown = await world.ask(ada, 'query ($id: ID!) { approval(id: $id) { argumentsSchema } }', { id })
  expect(shown.data).toEqual({ approval: { argumentsSchema } })
  const never = { ...refund, idempotencyKey: 'never' }
  for (const more of [
    { argumentsSchema: { type: 'objekt' } },
    { argumentsSchema: 'object' },
    { argumentsSchema, allowsChanges: false },
    { argumentsSchema: { enum: Array.from({ length: 2_000 }, (_, index) => index) } },
  ])
    expect(await told(operator, 'requestApproval', { ...never, ...more })).toEqual([
      'BAD_INPUT',
      ['input.argumentsSchema'],
    ])
})

test('whoever asked uses up their own yes: once, for exactly that, and again only as the same use', async () => {
  const { id } = await asked()
  const { approval } = await decide(ada, id, 'APPROVE', { finalArguments: { amount: 5 } })
  const digest = approval.approvedDigest ?? ''
  const use = async (more: object = {}, by: Actor = operator) => {
    const { data, code, extensions } = await world.ask(
      by,
      `mutation ($input: UseApprovalInput!) { useApproval(input: $input) { approval { usedBy } arguments repeated } }`,
      { input: { id, digest, by: 'refund-4711', ...more } },
    )
    return data['useApproval'] ?? `${String(code)} ${String(extensions['argument'])}`
  }
  expect(await use({}, colleague(admin, 'operator', 'another'))).toBe('SEPARATION_OF_DUTIES input.id')
  expect(await use({ id: crypto.randomUUID() })).toBe('NOT_FOUND input.id')
  expect(await use({ digest: 'x' })).toBe('CONFLICT input.digest')
  expect(await use({ id: (await asked()).id })).toBe('INVALID_STATE input.id')
  const used = { approval: { usedBy: `client/${operator.id}/refund-4711` }, arguments: { amount: 5 } }
  expect(await use()).toEqual({ ...used, repeated: false })
  expect(await use()).toEqual({ ...used, repeated: true })
  expect(await use({ by: 'refund-4712' })).toBe('INVALID_STATE input.id')
  // A gate that would have been let through by the same name is not: a client's uses are its own.
  expect(await useApproval(world, admin, { approvalId: id, digest, by: 'refund-4711' })).toMatchObject({
    reason: 'used_already',
  })

  const dora = await member('dora', ['board'])
  const lost = await asked({ stages: [{ groups: ['board'] }] })
  const { approval: given } = await decide(dora, lost.id, 'APPROVE')
  await world.asOwner('update principal set deactivated_at = now() where id = $1', [dora.id])
  const voided = { id: lost.id, digest: given.approvedDigest ?? '' }
  expect([await use(voided), await use(voided)]).toEqual(['INVALID_STATE input.id', 'INVALID_STATE input.id'])
  expect((await denials()).map(([code]) => code)).toEqual([
    'SEPARATION_OF_DUTIES',
    'DIGEST_DIFFERS',
    'NOT_APPROVED',
    'USED_ALREADY',
    'USED_ALREADY',
    'DECIDER_LOST',
    'USED_ALREADY',
  ])
})

test('what was approved is used once, for exactly that, by one', async () => {
  const { id, digest } = await asked()
  const use = (by: string, of = digest) => useApproval(world, admin, { approvalId: id, digest: of, by })
  expect(await use('task-1')).toEqual({ allowed: false, reason: 'not_approved' })
  const { approval } = await decide(ada, id, 'APPROVE', { finalArguments: { amount: 5 } })
  expect(await use('task-1')).toEqual({ allowed: false, reason: 'digest_differs' })
  const right = approval.approvedDigest ?? ''
  const uses = await Promise.all([1, 2, 3, 4].map((n) => use(`task-${n}`, right)))
  expect(uses.filter(({ allowed }) => allowed)).toEqual([
    { allowed: true, arguments: { amount: 5 }, repeated: false },
  ])
  const winner = `task-${uses.findIndex(({ allowed }) => allowed) + 1}`
  expect(await use(winner, right)).toMatchObject({ allowed: true, repeated: true })
  expect(
    await useApproval(world, await world.organization(), { approvalId: id, digest: right, by: 'x' }),
  ).toEqual({
    allowed: false,
    reason: 'not_found',
  })
  expect((await denials()).map(([code]) => code).sort()).toEqual([
    'DIGEST_DIFFERS',
    'NOT_APPROVED',
    'USED_ALREADY',
    'USED_ALREADY',
    'USED_ALREADY',
  ])
  expect((await eventsOf()).filter((type) => type === 'approval.used')).toHaveLength(1)
})

test('of several decisions each has its own outcome', async () => {
  const [one, own] = [await asked(), await asked({ authors: ['ada'] })]
  const { data } = await world.ask(
    ada,
    `mutation ($input: DecideApprovalsInput!) { decideApprovals(input: $input) {
      results { id approval { status } error { code } } } }`,
    {
      input: {
        decisions: [
          { id: one.id, decision: 'APPROVE' },
          { id: own.id, decision: 'APPROVE' },
          { id: 'no id', decision: 'REJECT' },
          { id: one.id, decision: 'REQUEST_CHANGES' },
        ],
      },
    },
  )
  expect(data['decideApprovals']?.['results']).toEqual([
    { id: one.id, approval: { status: 'APPROVED' }, error: null },
    { id: own.id, approval: null, error: { code: 'SEPARATION_OF_DUTIES' } },
    { id: 'no id', approval: null, error: { code: 'NOT_FOUND' } },
    { id: one.id, approval: null, error: { code: 'BAD_INPUT' } },
  ])
})

test('what fails in the middle of several is told for that one, and the others are as decided', async () => {
  const [first, failing, last] = [await asked(), await asked(), await asked()]
  await world.asOwner(`create function fail_here() returns trigger language plpgsql as $$ begin
    if old.id = '${failing.id}' then raise 'the disk is full'; end if; return new; end $$`)
  await world.asOwner(
    'create trigger a_fault before update on approval for each row execute function fail_here()',
  )
  const { data, code } = await world.ask(
    ada,
    `mutation ($input: DecideApprovalsInput!) { decideApprovals(input: $input) {
      results { approval { status } error { code message } } } }`,
    { input: { decisions: [first, failing, last].map(({ id }) => ({ id, decision: 'APPROVE' })) } },
  )
  await world.asOwner('drop trigger a_fault on approval')
  const decided = { approval: { status: 'APPROVED' }, error: null }
  const message = 'Something failed on our side.'
  expect([code, data['decideApprovals']?.['results']]).toEqual([
    null,
    [decided, { approval: null, error: { code: 'INTERNAL', message } }, decided],
  ])
  const { data: record } = await world.ask(
    colleague(admin, 'admin'),
    '{ auditEntries(first: 1, subject: "operation/Mutation.decideApprovals") { nodes { subject details } } }',
  )
  expect(record['auditEntries']?.['nodes']).toMatchObject([
    { subject: 'operation/Mutation.decideApprovals', details: { context: { target: failing.id } } },
  ])
  expect((await decide(ada, failing.id, 'APPROVE')).code).toBeNull()
})

test('a deadline is reminded of once, and then does what its stage says', async () => {
  const deadline = { deadlineSeconds: 3_600, reminderSeconds: 600 }
  const [escalates, approves, rejects] = [
    await asked({ stages: [{ roles: ['approver'], ...deadline, onDeadline: 'ESCALATE' }] }),
    await asked({ stages: [{ ...deadline, onDeadline: 'APPROVE' }, { roles: ['admin'] }] }),
    await asked({ stages: [{ ...deadline, onDeadline: 'REJECT' }] }),
  ]
  const ids = [escalates.id, approves.id, rejects.id]
  expect(await settleDueApprovals(world, admin, ids)).toBe(0)
  for (const id of ids) await letTimePass(id, 'remind_at')
  const swept = await Promise.all([1, 2, 3].map(() => settleDueApprovals(world, admin, ids)))
  expect(swept.reduce((sum, each) => sum + each)).toBe(3)
  expect((await eventsOf()).filter((type) => type === 'approval.reminded')).toHaveLength(3)

  for (const id of ids) await letTimePass(id, 'expires_at')
  expect((await decide(ada, rejects.id, 'APPROVE')).code).toBe('INVALID_STATE')
  await Promise.all([1, 2, 3].map(() => settleDueApprovals(world, admin, ids)))
  const system = admin.id
  expect((await decide(ada, rejects.id, 'APPROVE')).code).toBe('ALREADY_DECIDED')
  expect((await decide(ada, approves.id, 'APPROVE')).code).toBe('NOT_A_DECIDER')
  expect((await eventsOf()).filter((type) => type === 'approval.escalated')).toHaveLength(1)
  const { data } = await world.ask(
    admin,
    `query ($a: ID!, $b: ID!, $c: ID!) { a: approval(id: $a) { status stages { roles } expiresAt }
       b: approval(id: $b) { status stage decisions { decision decidedBy { id } } } c: approval(id: $c) { status }
       escalations { nodes { status approval { id } } } }`,
    { a: escalates.id, b: approves.id, c: rejects.id },
  )
  expect(data).toMatchObject({
    a: { status: 'PENDING', stages: [{ roles: ['approver', 'admin'] }] },
    b: { status: 'PENDING', stage: 1, decisions: [{ decision: 'APPROVE', decidedBy: { id: system } }] },
    c: { status: 'REJECTED' },
    escalations: { nodes: [{ status: 'OPEN', approval: { id: escalates.id } }] },
  })
  expect((await decide(admin, escalates.id, 'APPROVE')).code).toBeNull()
  expect((await world.ask(admin, '{ escalations { nodes { status } } }')).data).toEqual({
    escalations: { nodes: [{ status: 'RESOLVED' }] },
  })
})

test('what is approved is not asked anew with other arguments, and that somebody tried is on record', async () => {
  const { id } = await asked()
  await decide(ada, id, 'APPROVE')
  expect((await change(operator, 'resubmitApproval', { id, arguments: { more: 1 } })).code).toBe('CONFLICT')
  const denials = await world.asOwner<{ outcome: string }>(
    `select outcome from audit_entry where organization_id = $1 and action_type = 'denial'`,
    [admin.organizationId],
  )
  expect(denials).toEqual([{ outcome: 'CONFLICT' }])
})

test('what waits for changes when its time is over expires', async () => {
  const { id } = await asked({ expiresAt: new Date(Date.now() + 60_000).toISOString() })
  await decide(ada, id, 'REQUEST_CHANGES', { comment: 'less' })
  await letTimePass(id, 'expires_at')
  expect((await change(operator, 'resubmitApproval', { id, arguments: {} })).code).toBe('INVALID_STATE')
  expect(await settleDueApprovals(world, admin, [id])).toBe(1)
  expect(await eventsOf()).toContain('approval.expired')
})

test('a stage’s clock goes on while it waits for changes, and its rule stays, but time alone approves nothing', async () => {
  const rules = ['REJECT', 'ESCALATE', 'APPROVE', 'EXPIRE']
  const ids: string[] = []
  for (const onDeadline of rules) {
    const { id } = await asked({ stages: [{ deadlineSeconds: 3_600, reminderSeconds: 60, onDeadline }] })
    expect((await decide(ada, id, 'REQUEST_CHANGES', { comment: 'less' })).approval).toMatchObject({
      expiresAt: expect.any(String),
    })
    ids.push(id)
  }
  expect(await settleDueApprovals(world, admin, ids)).toBe(0)
  for (const id of ids) await letTimePass(id, 'expires_at')
  for (const id of [ids[0], ids[2]])
    expect((await change(operator, 'resubmitApproval', { id, arguments: {} })).code).toBe('INVALID_STATE')
  expect(await settleDueApprovals(world, admin, ids)).toBe(4)
  const { data } = await world.ask(
    admin,
    `query ($a: ID!, $b: ID!, $c: ID!, $d: ID!) { a: approval(id: $a) { status comment } b: approval(id: $b) { status }
       c: approval(id: $c) { status } d: approval(id: $d) { status } escalations { nodes { title approval { id } } } }`,
    { a: ids[0], b: ids[1], c: ids[2], d: ids[3] },
  )
  expect(data).toEqual({
    a: { status: 'REJECTED', comment: 'Nobody asked anew in time.' },
    b: { status: 'CHANGES_REQUESTED' },
    c: { status: 'EXPIRED' },
    d: { status: 'EXPIRED' },
    escalations: { nodes: [{ title: 'Nobody asked anew in time: Refund?', approval: { id: ids[1] } }] },
  })
  const asks = await change(operator, 'resubmitApproval', { id: ids[1], arguments: { amount: 1 } })
  expect(asks.approval).toMatchObject({ status: 'PENDING', stages: [{ onDeadline: 'ESCALATE' }] })
})

test('what an agent had asked is asked anew by its authors, and by any person where it has none', async () => {
  const agent: Actor = { ...colleague(admin, 'agent'), id: 'bot', kind: 'agent' }
  const otto = colleague(admin, 'operator', 'otto')
  const input = { arguments: { amount: 1 } }
  for (const [authors, code] of [
    [['olga'], 'SEPARATION_OF_DUTIES'],
    [[], null],
  ] as const) {
    const { id } = await asked({ authors }, agent)
    await decide(ada, id, 'REQUEST_CHANGES', { comment: 'less' })
    expect((await change(otto, 'resubmitApproval', { ...input, id })).code).toBe(code)
    const digest = (await change(code ? operator : otto, 'resubmitApproval', { ...input, id })).approval
      .digest
    const own = await decide(code ? operator : otto, id, 'APPROVE', { digest })
    expect(own.code).toBe('FORBIDDEN')
    expect((await decide(ada, id, 'APPROVE', { digest })).approval).toMatchObject({ status: 'APPROVED' })
  }
})

test('all mistakes of the stages are told at once, and an agent asks for nothing that time alone approves', async () => {
  const ask = (by: Actor, stages: object[]) =>
    world.ask(
      by,
      `mutation ($input: RequestApprovalInput!) { requestApproval(input: $input) { approval { id } } }`,
      { input: { ...refund, idempotencyKey: 'k', stages } },
    )
  const wrong = await ask(operator, [
    { needed: 0 },
    { people: ['ada'], needed: 2 },
    { onDeadline: 'REJECT' },
    { teamIds: ['no id'] },
  ])
  expect(wrong.code).toBe('BAD_INPUT')
  const problems = wrong.extensions['problems'] as { path: string }[]
  expect(problems.map(({ path }) => path).sort()).toEqual([
    'input.stages.0.needed',
    'input.stages.1.needed',
    'input.stages.2.onDeadline',
    'input.stages.3.teamIds',
  ])
  const alone = [{ deadlineSeconds: 1, onDeadline: 'APPROVE' }]
  expect((await ask(colleague(admin, 'agent'), alone)).extensions['argument']).toBe(
    'input.stages.0.onDeadline',
  )
  expect((await ask(operator, alone)).code).toBeNull()
})
