import { type Actor, systemActor } from '@tutti/schema'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { colleague, openWorld, type World } from '../testing/open-world.ts'
import { openEscalation } from './open-escalation.ts'
import { raiseDueEscalations } from './raise-due-escalations.ts'

let world: World
let admin: Actor
let approver: Actor
let operator: Actor

beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())
beforeEach(async () => {
  admin = await world.organization()
  approver = colleague(admin, 'approver')
  operator = colleague(admin, 'operator')
})

const TEAM = '01990000-0000-7000-8000-00000000000b'
const worker = () => systemActor(admin.organizationId, 'worker')
const open = (more: object = {}) =>
  openEscalation(world, worker(), { requestKey: 'k', title: 't', reason: 'r', level: 'agent', ...more })
const act = (actor: Actor, field: string, input: object) => {
  const type = `${field[0]?.toUpperCase()}${field.slice(1)}Input`
  const payload = field.endsWith('Policy')
    ? 'policy { id scope }'
    : field.endsWith('Schedule')
      ? 'schedule { id }'
      : field === 'overrideOnCall'
        ? 'override { id }'
        : 'escalation { id level status assignedTo { id } acknowledgedBy { id } responsible { kind name } }'
  return world.ask(actor, `mutation ($input: ${type}!) { ${field}(input: $input) { ${payload} } }`, { input })
}
const level = (name: string, kind: string, of: string, acknowledge = 600) => ({
  level: name,
  responsible: { kind, name: of },
  acknowledgeWithinSeconds: acknowledge,
  resolveWithinSeconds: 3_600,
})
const show = async (id: string) => {
  const { data } = await world.ask(
    admin,
    `query ($id: ID!) { escalation(id: $id) { level status exhaustedAt assignedTo { id } responsible { kind name }
       incident { title status } steps { kind level fromLevel cause text actor { kind } } } }`,
    { id },
  )
  return data['escalation']
}
const miss = async (id: string, which: 'acknowledge_by' | 'resolve_by') => {
  await world.asOwner(
    `update escalation set ${which} = clock_timestamp() - interval '1 second',
       due_at = clock_timestamp() - interval '1 second' where id = $1`,
    [id],
  )
  return raiseDueEscalations(world, worker(), [id])
}
const mine = async (actor: Actor): Promise<unknown> => {
  const { data } = await world.ask(actor, '{ escalations(mine: true) { nodes { id } } }')
  return data['escalations']?.['nodes']
}

test('nobody takes it on: it goes up level by level, and at the last says so, with an incident', async () => {
  const { id } = await open({ level: 'domain' })
  expect(await raiseDueEscalations(world, worker(), [id])).toBe(0)
  expect(await miss(id, 'acknowledge_by')).toBe(1)
  expect(await raiseDueEscalations(world, worker(), [id])).toBe(0)
  expect((await act(admin, 'acknowledgeEscalation', { id })).code).toBeNull()
  await miss(id, 'resolve_by')
  expect(await show(id)).toMatchObject({ level: 'person', status: 'OPEN', incident: null })
  await miss(id, 'acknowledge_by')
  const settled = await show(id)
  expect(settled).toMatchObject({
    level: 'person',
    status: 'OPEN',
    exhaustedAt: expect.any(String),
    incident: { title: 'Nobody answers an escalation: t', status: 'OPEN' },
    steps: [
      { kind: 'opened', level: 'domain' },
      {
        kind: 'raised',
        fromLevel: 'domain',
        level: 'enterprise',
        cause: 'acknowledgement',
        actor: { kind: 'system' },
      },
      { kind: 'acknowledged', level: 'enterprise' },
      { kind: 'raised', fromLevel: 'enterprise', level: 'person', cause: 'resolution' },
      { kind: 'exhausted', level: 'person', cause: 'acknowledgement' },
    ],
  })
  expect((await act(admin, 'raiseEscalation', { id, reason: 'again' })).code).toBe('INVALID_STATE')
  expect((await world.events(admin, 'escalation.raised')).map(({ data }) => data)).toMatchObject([
    { from: 'domain', to: 'enterprise', cause: 'acknowledgement' },
    { from: 'enterprise', to: 'person', cause: 'resolution' },
  ])
  expect(await world.events(admin, 'escalation.exhausted')).toHaveLength(1)
})

test('many look at once: each deadline that passed moves it once', async () => {
  const { id } = await open()
  await world.asOwner(
    `update escalation set acknowledge_by = now() - interval '1 second', due_at = now() - interval '1 second' where id = $1`,
    [id],
  )
  await Promise.all([1, 2, 3, 4].map(() => raiseDueEscalations(world, worker(), [id])))
  expect(await show(id)).toMatchObject({ level: 'domain' })
  expect(await world.events(admin, 'escalation.raised')).toHaveLength(1)
})

test('the narrowest policy says who is responsible, and a level that it leaves out is the next above', async () => {
  await act(admin, 'setEscalationPolicy', { levels: [level('ENTERPRISE', 'ROLE', 'admin')] })
  await act(admin, 'setEscalationPolicy', {
    teamId: TEAM,
    levels: [level('DOMAIN', 'PERSON', 'ada'), level('PERSON', 'GROUP', 'board')],
  })
  const everybodys = await open()
  const teams = await open({ requestKey: 'team', teamId: TEAM })
  expect(await show(everybodys.id)).toMatchObject({ level: 'enterprise', assignedTo: null })
  expect(await show(teams.id)).toMatchObject({ level: 'domain', assignedTo: { id: 'ada' } })
  const { data } = await world.ask(admin, '{ escalationPolicies { nodes { id scope } } }')
  const nodes = data['escalationPolicies']?.['nodes']
  expect(nodes).toMatchObject([{ scope: 'organization' }, { scope: 'team' }])
})

test('a policy with mistakes is refused, with all of them', async () => {
  const { code, extensions } = await act(admin, 'setEscalationPolicy', {
    levels: [
      { ...level('PERSON', 'ROLE', 'admin', 60), resolveWithinSeconds: 30 },
      level('AGENT', 'ROLE', 'admin'),
    ],
  })
  expect(code).toBe('BAD_INPUT')
  expect(extensions['problems']).toMatchObject([
    { path: 'input.levels.0.resolveWithinSeconds' },
    { path: 'input.levels.1.level' },
  ])
  const role = await act(admin, 'setEscalationPolicy', { levels: [level('AGENT', 'ROLE', 'agent')] })
  expect([role.code, role.extensions['argument']]).toEqual(['BAD_INPUT', 'input.levels.0.responsible.name'])
  const schedule = await act(admin, 'setEscalationPolicy', { levels: [level('AGENT', 'SCHEDULE', 'none')] })
  expect(schedule.code).toBe('NOT_FOUND')
  expect((await act(operator, 'setEscalationPolicy', { levels: [] })).code).toBe('FORBIDDEN')
})

test('whoever is on call at that moment has it, or who stands in for them', async () => {
  const { data } = await act(admin, 'setOnCallSchedule', {
    name: 'nights',
    timeZone: 'Europe/Berlin',
    participants: ['ada'],
    length: 1,
    unit: 'DAY',
    handoffTime: '09:00',
    startsOn: '2026-01-01',
  })
  await act(admin, 'setEscalationPolicy', { levels: [level('AGENT', 'SCHEDULE', 'nights')] })
  expect(await show((await open()).id)).toMatchObject({ assignedTo: { id: 'ada' } })
  const scheduleId = Object(data['setOnCallSchedule']?.['schedule']).id
  const stand = await act(operator, 'overrideOnCall', {
    scheduleId,
    person: 'bob',
    from: '2026-01-01T00:00:00Z',
    until: '2026-12-31T00:00:00Z',
  })
  expect(stand.code).toBeNull()
  const asked = await world.ask(
    admin,
    '{ onCall(schedule: "nights", at: "2026-06-01T00:00:00Z") { personId } }',
  )
  expect(asked.data['onCall']).toEqual({ personId: 'bob' })
  const none = await world.ask(admin, '{ onCall(schedule: "days") { personId } }')
  expect(none.code).toBe('NOT_FOUND')
  const removal = await world.ask(
    admin,
    'mutation ($id: ID!) { removeOnCallSchedule(input: { id: $id }) { id } }',
    { id: scheduleId },
  )
  expect(removal.code).toBe('CONFLICT')
})

test('whoever is responsible by now decides what it waits for, and passes on no right that they do not have', async () => {
  const people = ['ada', 'ben', 'cleo', 'dan'].map((id) => colleague(admin, 'approver', id))
  const [ada = admin, ben = admin, cleo = admin, dan = admin] = people
  await act(admin, 'setEscalationPolicy', {
    levels: [
      level('DOMAIN', 'PERSON', 'ada'),
      level('ENTERPRISE', 'PERSON', 'ben'),
      level('PERSON', 'GROUP', 'board'),
    ],
  })
  const ask = async (stages: object[], openedBy = worker()) => {
    const { id, approvalId } = await openEscalation(world, openedBy, {
      requestKey: crypto.randomUUID(),
      title: 't',
      reason: 'r',
      level: 'domain',
      approval: { title: 't', action: 'a', arguments: {}, reason: 'r', stages },
    })
    return { id, approval: approvalId ?? '' }
  }
  const APPROVE =
    'mutation ($input: DecideApprovalInput!) { decideApproval(input: $input) { approval { status } } }'
  const decide = async (by: Actor, id: string) => {
    const { data, code } = await world.ask(by, APPROVE, { input: { id, decision: 'APPROVE' } })
    return code ?? Object(data['decideApproval']?.['approval']).status
  }
  const stageOf = async (id: string, index: number) => {
    const answer = await world.ask(
      admin,
      'query ($id: ID!) { approval(id: $id) { stages { groups people } } }',
      {
        id,
      },
    )
    return Object(answer.data['approval']).stages[index]
  }
  const inbox = async (of: Actor) => {
    const { data } = await world.ask(of, '{ approvalInbox(first: 50) { nodes { id } } }')
    return Object(data['approvalInbox']).nodes.map(({ id }: { id: string }) => id)
  }
  const move = async (field: string, by: Actor, input: object) => {
    const { code } = await act(by, field, { reason: 'r', ...input })
    expect(code).toBeNull()
  }

  // A deadline is missed.
  const missed = await ask([{ people: ['ada'] }, { people: ['cleo', 'dan'], needed: 2 }])
  expect(await decide(ben, missed.approval)).toBe('NOT_A_DECIDER')
  await miss(missed.id, 'acknowledge_by')
  expect(await inbox(ben)).toEqual([missed.approval])
  expect((await world.events(admin, 'approval.escalated')).map(({ data }) => data)).toMatchObject([
    { approvalId: missed.approval, stage: 0, escalationId: missed.id },
  ])
  const { data } = await world.ask(
    admin,
    '{ auditEntries(first: 1, actionType: "escalation") { nodes { details } } }',
  )
  expect(data['auditEntries']?.['nodes']).toMatchObject([
    { details: { context: { decides: { approvalId: missed.approval, stage: 'decision' } } } },
  ])
  expect(await decide(ben, missed.approval)).toBe('PENDING')
  // The next stage is others', as many of whom as before, until it goes up once more.
  expect(await stageOf(missed.approval, 1)).toMatchObject({ groups: [], people: ['cleo', 'dan'] })
  await miss(missed.id, 'acknowledge_by')
  expect(await show(missed.id)).toMatchObject({ level: 'person', assignedTo: null })
  expect(await stageOf(missed.approval, 1)).toMatchObject({ groups: ['board'], people: ['cleo', 'dan'] })
  expect(await decide(cleo, missed.approval)).toBe('PENDING')
  expect(await decide(dan, missed.approval)).toBe('APPROVED')

  // Who asked does not decide, whoever is responsible.
  const own = await ask([{ people: ['ada'] }], ben)
  await miss(own.id, 'acknowledge_by')
  expect(await show(own.id)).toMatchObject({ assignedTo: { id: 'ben' } })
  expect(await decide(ben, own.approval)).toBe('SEPARATION_OF_DUTIES')

  // By hand: who may decide it, and who says who is in groups, gives it to others; nobody to themselves.
  const given = await ask([{ people: ['ada'] }])
  await move('reassignEscalation', cleo, { id: given.id, to: 'cleo' })
  expect(await decide(cleo, given.approval)).toBe('NOT_A_DECIDER')
  await move('reassignEscalation', operator, { id: given.id, to: 'dan' })
  expect(await decide(dan, given.approval)).toBe('NOT_A_DECIDER')
  await move('reassignEscalation', admin, { id: given.id, to: admin.id })
  expect(await decide(admin, given.approval)).toBe('NOT_A_DECIDER')
  await move('reassignEscalation', admin, { id: given.id, to: 'cleo' })
  expect(await decide(cleo, given.approval)).toBe('APPROVED')
  const raised = await ask([{ people: ['ada'] }])
  await move('raiseEscalation', ada, { id: raised.id })
  expect(await decide(ben, raised.approval)).toBe('APPROVED')
  const asked = await ask([{ people: ['ada'] }], { ...admin, id: 'asker' })
  await move('reassignEscalation', { ...admin, id: 'asker' }, { id: asked.id, to: 'cleo' })
  expect(await decide(cleo, asked.approval)).toBe('NOT_A_DECIDER')
  // From who may not pass it on, it comes with the next deadline, also on the last level.
  await move('reassignEscalation', operator, { id: asked.id, level: 'PERSON', to: 'dan' })
  expect(await decide(dan, asked.approval)).toBe('NOT_A_DECIDER')
  await miss(asked.id, 'acknowledge_by')
  expect(await show(asked.id)).toMatchObject({ exhaustedAt: expect.any(String) })
  expect(await decide(dan, asked.approval)).toBe('APPROVED')
})

test('many decide and many move it at once: each comes to an end', async () => {
  await act(admin, 'setEscalationPolicy', {
    levels: [level('DOMAIN', 'ROLE', 'approver'), level('ENTERPRISE', 'ROLE', 'admin')],
  })
  const escalations = await Promise.all(
    [1, 2, 3, 4].map((n) =>
      open({
        requestKey: `${n}`,
        level: 'domain',
        approval: { title: 't', action: 'a', arguments: {}, reason: 'r', stages: [{ people: ['ada'] }] },
      }),
    ),
  )
  const ada = colleague(admin, 'approver', 'ada')
  const late = escalations.map(({ id }) => id)
  await world.asOwner(
    `update escalation set due_at = now() - interval '1 second', acknowledge_by = now() - interval '1 second'
     where organization_id = $1`,
    [admin.organizationId],
  )
  await Promise.all([
    ...escalations.map(({ approvalId }) =>
      world.ask(
        ada,
        `mutation ($id: ID!) { decideApproval(input: { id: $id, decision: APPROVE }) { approval { id } } }`,
        { id: approvalId },
      ),
    ),
    ...[late, late.toReversed()].map((ids) => raiseDueEscalations(world, worker(), ids)),
    ...late.map((id) => act(ada, 'reassignEscalation', { id, to: 'ben', reason: 'r' })),
  ])
  for (const id of late) expect(await show(id)).toMatchObject({ status: 'RESOLVED' })
})

test('it is raised by hand, given to a person, and talked about; who has it finds it', async () => {
  const { id } = await open()
  expect(await mine(operator)).toEqual([{ id }])
  expect(await mine(approver)).toEqual([])
  expect((await act(operator, 'acknowledgeEscalation', { id })).code).toBeNull()
  const raised = await act(operator, 'raiseEscalation', { id, reason: 'Not ours.' })
  expect(raised.data['raiseEscalation']?.['escalation']).toMatchObject({
    level: 'domain',
    status: 'OPEN',
    acknowledgedBy: null,
  })
  expect([await mine(operator), await mine(approver)]).toEqual([[], [{ id }]])
  const given = await act(approver, 'reassignEscalation', { id, to: operator.id, reason: 'You know it.' })
  expect(given.data['reassignEscalation']?.['escalation']).toMatchObject({
    level: 'domain',
    assignedTo: { id: operator.id },
  })
  expect([await mine(operator), await mine(approver)]).toEqual([[{ id }], []])
  expect((await act(operator, 'commentEscalation', { id, text: 'I am on it.' })).code).toBeNull()
  expect((await act(operator, 'reassignEscalation', { id, reason: 'To whom?' })).code).toBe('BAD_INPUT')
  const nobody = await act(operator, 'reassignEscalation', { id, to: TEAM, reason: 'r' })
  expect(nobody.code).toBe('NOT_FOUND')
  expect((await act(operator, 'resolveEscalation', { id, resolution: 'Done.' })).code).toBeNull()
  expect((await act(operator, 'raiseEscalation', { id, reason: 'r' })).code).toBe('INVALID_STATE')
  expect((await act(operator, 'reassignEscalation', { id, to: 'ada', reason: 'r' })).code).toBe(
    'INVALID_STATE',
  )
  expect((await act(operator, 'commentEscalation', { id, text: 'Thanks.' })).code).toBeNull()
  expect(await show(id)).toMatchObject({
    steps: ['opened', 'acknowledged', 'raised', 'reassigned', 'commented', 'resolved', 'commented'].map(
      (kind) => ({ kind }),
    ),
  })
  expect(await miss(id, 'resolve_by')).toBe(0)
  const { data } = await world.ask(
    admin,
    `{ none: escalations(level: PERSON) { nodes { id } }
       his: escalations(assignee: "${operator.id}", status: RESOLVED, level: DOMAIN) { nodes { id } } }`,
  )
  expect(data).toEqual({ none: { nodes: [] }, his: { nodes: [{ id }] } })
})
