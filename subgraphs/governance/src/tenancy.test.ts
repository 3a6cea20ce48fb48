import { randomUUID } from 'node:crypto'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { appendAuditEntry } from './audit/append-audit-entry.ts'
import { openEscalation } from './escalations/open-escalation.ts'
import { openIncidentForCause } from './incidents/open-incident-for-cause.ts'
import { openWorld, type World } from './testing/open-world.ts'

let world: World
let owner: Actor
let stranger: Actor
const theirs: Record<string, string> = {}

beforeAll(async () => {
  world = await openWorld()
  owner = await world.organization()
  stranger = await world.organization()
  const [run, task, team] = [randomUUID(), randomUUID(), randomUUID()]
  const escalation = await openEscalation(world, owner, {
    requestKey: 'k',
    title: 't',
    reason: 'r',
    level: 'person',
    runId: run,
    taskId: task,
    approval: { title: 't', action: 'a', arguments: {}, reason: 'r' },
  })
  const incident = await openIncidentForCause(world, owner, {
    cause: 'c',
    title: 't',
    description: 'd',
    impact: 'team',
    teamId: team,
  })
  const entry = await appendAuditEntry(world, owner, {
    actionType: 'execution',
    domain: 'd',
    summary: 's',
    details: {},
    subject: 'x',
  })
  const key = await world.ask(
    owner,
    'mutation { createApiKey(input: { principalName: "Ada", roles: ["viewer"] }) { apiKey { id } } }',
  )
  Object.assign(theirs, {
    Run: run,
    Task: task,
    Team: team,
    Escalation: escalation.id,
    Approval: escalation.approvalId,
    Incident: incident.id,
    AuditEntry: entry.id,
    ApiKey: (key.data['createApiKey'] as { apiKey: { id: string } }).apiKey.id,
  })
})
afterAll(() => world[Symbol.asyncDispose]())

const FRAGMENTS = `... on Run { approvals { id } escalations { id } } ... on Task { approval { id } }
  ... on Team { openIncidents { id } } ... on Escalation { title } ... on Approval { title } ... on Incident { title }
  ... on AuditEntry { summary } ... on ApiKey { prefix }`

const entity = (actor: Actor, type: string, id: string) =>
  world.ask(actor, `query ($of: [_Any!]!) { _entities(representations: $of) { __typename ${FRAGMENTS} } }`, {
    of: [{ __typename: type, id }],
  })

test.each(['Run', 'Task', 'Team', 'Escalation', 'Approval', 'Incident', 'AuditEntry', 'ApiKey'])(
  'as an entity, %s of another organization answers exactly as one that does not exist',
  async (type) => {
    const foreign = await entity(stranger, type, theirs[type] ?? '')
    expect(foreign).toEqual(await entity(stranger, type, randomUUID()))
    expect(foreign).toEqual(await entity(stranger, type, 'nonsense'))
    expect(foreign).not.toEqual(await entity(owner, type, theirs[type] ?? ''))
  },
)

test.each([
  ['approval', 'Approval'],
  ['escalation', 'Escalation'],
  ['incident', 'Incident'],
])('the query %s of a foreign id finds nothing', async (field, type) => {
  const ask = (id: string | undefined) =>
    world.ask(stranger, `query ($id: ID!) { ${field}(id: $id) { id } }`, { id })
  expect(await ask(theirs[type])).toEqual(await ask(randomUUID()))
  expect((await ask(theirs[type])).data[field]).toBeNull()
})

test.each([
  ['decideApproval', 'DecideApprovalInput', 'Approval', { decision: 'APPROVE' }, 'approval { id }'],
  ['acknowledgeEscalation', 'AcknowledgeEscalationInput', 'Escalation', {}, 'escalation { id }'],
  ['resolveEscalation', 'ResolveEscalationInput', 'Escalation', { resolution: 'x' }, 'escalation { id }'],
  ['acknowledgeIncident', 'AcknowledgeIncidentInput', 'Incident', {}, 'incident { id }'],
  ['resolveIncident', 'ResolveIncidentInput', 'Incident', { resolution: 'x' }, 'incident { id }'],
  ['revokeApiKey', 'RevokeApiKeyInput', 'ApiKey', {}, 'apiKey { id }'],
])('the mutation %s of a foreign id finds nothing', async (field, inputType, type, more, selection) => {
  const ask = (id: string | undefined) =>
    world.ask(stranger, `mutation ($input: ${inputType}!) { ${field}(input: $input) { ${selection} } }`, {
      input: { id, ...more },
    })
  const foreign = await ask(theirs[type])
  expect(foreign.code).toBe('NOT_FOUND')
  expect(foreign).toEqual(await ask(randomUUID()))
  expect(foreign).toEqual(await ask('nonsense'))
})

test('the lists of another organization are empty', async () => {
  const { data } = await world.ask(
    stranger,
    `{ approvals { nodes { id } } escalations { nodes { id } } incidents { nodes { id } } auditEntries { nodes { id } }
       apiKeys { id } }`,
  )
  const none = { nodes: [] }
  expect(data).toEqual({
    approvals: none,
    escalations: none,
    incidents: none,
    auditEntries: none,
    apiKeys: [],
  })
})

test('without a caller there is nothing but the refusal', async () => {
  expect(await world.ask(null, '{ viewer { id } }')).toMatchObject({ data: {}, code: 'UNAUTHENTICATED' })
})
