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
