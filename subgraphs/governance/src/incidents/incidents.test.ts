import { randomUUID } from 'node:crypto'
import type { Actor } from '@tutti/schema'
import type { ExecutionResult } from 'graphql'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { colleague, openWorld, type World } from '../testing/open-world.ts'
import { openIncidentForCause } from './open-incident-for-cause.ts'

let world: World
let admin: Actor
let operator: Actor

beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())
beforeEach(async () => {
  admin = await world.organization()
  operator = colleague(admin, 'operator')
})

const FIELDS = `id severity status impact openedAt resolveBy resolution acknowledgedBy { id }
  timeline { kind text actor { id } }`
const open = async (input: object = {}) => {
  const { data, code, extensions } = await world.ask(
    operator,
    `mutation ($input: OpenIncidentInput!) { openIncident(input: $input) { incident { ${FIELDS} } } }`,
    { input: { title: 'Down', description: 'It is down.', impact: 'DOMAIN', ...input } },
  )
  return { incident: data['openIncident']?.['incident'] as Record<string, unknown>, code, extensions }
}
const acknowledge = (actor: Actor, id: unknown) =>
  world.ask(
    actor,
    `mutation ($input: AcknowledgeIncidentInput!) { acknowledgeIncident(input: $input) { incident { ${FIELDS} } } }`,
    { input: { id } },
  )
const resolve = (actor: Actor, id: unknown, resolution = 'Restarted.') =>
  world.ask(
    actor,
    `mutation ($input: ResolveIncidentInput!) { resolveIncident(input: $input) { incident { ${FIELDS} } } }`,
    { input: { id, resolution } },
  )

test('an incident goes from open to resolved, and its timeline tells it', async () => {
  const { incident } = await open({ workaround: true })
  expect(incident).toMatchObject({ severity: 'SEV_3', status: 'OPEN', impact: 'DOMAIN' })
  expect(Date.parse(String(incident['resolveBy'])) - Date.parse(String(incident['openedAt']))).toBe(
    86_400_000,
  )
  expect((await acknowledge(operator, incident['id'])).code).toBeNull()
  const { data } = await resolve(operator, incident['id'])
  expect(data['resolveIncident']?.['incident']).toMatchObject({
    status: 'RESOLVED',
    resolution: 'Restarted.',
    acknowledgedBy: { id: operator.id },
    timeline: [
      { kind: 'opened', text: 'It is down.', actor: { id: operator.id } },
      { kind: 'acknowledged' },
      { kind: 'resolved', text: 'Restarted.' },
    ],
  })
})

test('what is over stays over, and what one took on another does not', async () => {
  const { incident } = await open()
  await acknowledge(operator, incident['id'])
  expect((await acknowledge(operator, incident['id'])).code).toBeNull()
  expect((await acknowledge(admin, incident['id'])).code).toBe('INVALID_STATE')
  await resolve(operator, incident['id'])
  expect((await resolve(operator, incident['id'])).code).toBe('INVALID_STATE')
  expect((await acknowledge(operator, incident['id'])).code).toBe('INVALID_STATE')
  const told = (await world.events(admin)).map((event) => event.type)
  expect(told.filter((type) => type !== 'audit.recorded')).toEqual([
    'incident.opened',
    'incident.acknowledged',
    'incident.resolved',
  ])
})

test.each(['viewer', 'approver', 'agent'] as const)('a %s may not handle incidents', async (role) => {
  const { incident } = await open()
  expect((await resolve(colleague(admin, role), incident['id'])).code).toBe('FORBIDDEN')
})

test('all mistakes of an incident are told at once', async () => {
  const { code, extensions } = await open({ title: '', description: 'a\0', teamId: 'red team' })
  expect(code).toBe('BAD_INPUT')
  const problems = extensions['problems'] as { path: string }[]
  expect(problems.map((problem) => problem.path)).toEqual([
    'input.title',
    'input.description',
    'input.teamId',
  ])
})

const forCause = (anomalyId: string, description = 'Failures over the threshold.') =>
  openIncidentForCause(world, admin, {
    cause: 'failure_rate/x',
    title: 'Failure rate',
    description,
    impact: 'team',
    anomalyId,
  })

test('anomalies of one cause make one incident, and each a line of its timeline, however often they come', async () => {
  const anomalies = Array.from({ length: 8 }, () => randomUUID())
  const opened = await Promise.all([...anomalies, ...anomalies].map((each) => forCause(each)))
  const [id] = new Set(opened.map((each) => each.id))
  expect(opened.every((each) => each.id === id)).toBe(true)
  expect(await world.events(admin, 'incident.opened')).toHaveLength(1)
  const { data } = await world.ask(admin, `query ($id: ID!) { incident(id: $id) { ${FIELDS} } }`, { id })
  const timeline = data['incident']?.['timeline'] as { kind: string }[]
  expect(timeline.map((line) => line.kind).sort()).toEqual([
    ...Array.from({ length: 7 }, () => 'note'),
    'opened',
  ])
})

test('after it is resolved, an old anomaly opens nothing and a new one does', async () => {
  const anomaly = randomUUID()
  const { id } = await forCause(anomaly)
  await resolve(operator, id)
  expect((await forCause(anomaly)).id).toBe(id)
  expect((await forCause(randomUUID())).id).not.toBe(id)
})

test("a team's incidents that are not resolved stand at the team", async () => {
  const [teamId, otherId] = [randomUUID(), randomUUID()]
  const { incident } = await open({ teamId })
  const { incident: over } = await open({ teamId })
  await resolve(operator, over['id'])
  const { data } = await world.ask(
    admin,
    `query ($of: [_Any!]!) { _entities(representations: $of) { ... on Team { id openIncidents { id team { id } } } } }`,
    { of: [teamId, otherId, 'nonsense'].map((id) => ({ __typename: 'Team', id })) },
  )
  expect(data['_entities']).toEqual([
    { id: teamId, openIncidents: [{ id: incident['id'], team: { id: teamId } }] },
    { id: otherId, openIncidents: [] },
    { id: 'nonsense', openIncidents: [] },
  ])
})

const SUBSCRIBE = `subscription ($after: String, $filter: IncidentEventFilter) {
  incidentEvents(after: $after, filter: $filter) { cursor type incident { id status timeline { kind } } }
}`
interface Seen {
  cursor: string
  type: string
  incident: { id: string; status: string; timeline: unknown[] }
}

/** Reads `count` events; `onReady` runs when the subscription listens. */
async function listen(variables: object, count: number): Promise<Seen[]> {
  const ending = new AbortController()
  const seen: Seen[] = []
  const feed = world.subscribe({ query: SUBSCRIBE, variables: { ...variables }, actor: admin }, ending.signal)
  for await (const result of feed as AsyncIterable<ExecutionResult<{ incidentEvents: Seen }>>) {
    expect(result.errors).toBeUndefined()
    if (result.data) seen.push(result.data.incidentEvents)
    if (seen.length === count) break
  }
  ending.abort()
  return seen
}
const BEGINNING = '0'.repeat(13)

test('who comes back with the cursor misses nothing and sees nothing twice', async () => {
  const { incident } = await open()
  await acknowledge(operator, incident['id'])
  const first = await listen({ after: BEGINNING }, 2)
  await resolve(operator, incident['id'])
  await open()
  const rest = await listen({ after: first[0]?.cursor }, 3)
  expect([...first.slice(0, 1), ...rest].map((event) => event.type)).toEqual([
    'incident.opened',
    'incident.acknowledged',
    'incident.resolved',
    'incident.opened',
  ])
  expect(rest[0]?.cursor).toBe(first[1]?.cursor)
})

test('each live event shows the incident as it is then, not as an earlier event saw it', async () => {
  const { incident } = await open()
  const seen: Seen[] = []
  const ending = new AbortController()
  const feed = world.subscribe(
    { query: SUBSCRIBE, variables: { after: BEGINNING }, actor: admin },
    ending.signal,
  )
  const next = async () => {
    const { value } = (await feed.next()) as { value: ExecutionResult<{ incidentEvents: Seen }> }
    if (value.data) seen.push(value.data.incidentEvents)
  }
  await next()
  await acknowledge(operator, incident['id'])
  await next()
  await resolve(operator, incident['id'])
  await next()
  ending.abort()
  expect(seen.map((event) => [event.incident.status, event.incident.timeline.length])).toEqual([
    ['OPEN', 1],
    ['ACKNOWLEDGED', 2],
    ['RESOLVED', 3],
  ])
})

test('a filter by severity keeps the others out', async () => {
  await open({ impact: 'TEAM' })
  const { incident } = await open({ impact: 'ENTERPRISE' })
  const [event] = await listen({ after: BEGINNING, filter: { severities: ['SEV_1'] } }, 1)
  expect(event?.incident.id).toBe(incident['id'])
})
