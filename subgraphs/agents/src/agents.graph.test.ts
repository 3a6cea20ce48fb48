import { randomUUID } from 'node:crypto'
import { openTail, type Tail } from '@tutti/prisma'
import { openTestDatabase, testActor, type TestDatabase } from '@tutti/prisma/testing'
import { bindSubgraph, createKms, createLog, type RunningSubgraph } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { agents } from './index.ts'
import { sendMessage } from './messages/send-message.ts'

let world: TestDatabase
let tail: Tail
let subgraph: RunningSubgraph
let operator: Actor
let stranger: Actor
beforeAll(async () => {
  world = await openTestDatabase()
  tail = await openTail(world.database)
  const log = createLog('test', 'silent')
  subgraph = bindSubgraph(agents, { ...world, tail, log, kms: createKms(world) }, log)
  operator = await world.organization('operator')
  stranger = await world.organization('operator')
})
afterAll(async () => {
  await tail[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

async function ask(query: string, variables: Record<string, unknown> = {}, actor = operator) {
  const { data, errors } = await subgraph.execute({ query, variables, actor })
  // Null prototypes of graphql's results compare unequal to plain objects.
  return {
    data: JSON.parse(JSON.stringify(data ?? null)),
    codes: errors?.map((error) => error.extensions['code']),
  }
}
const REGISTER = `mutation ($input: RegisterAgentInput!) { registerAgent(input: $input) { changed agent { id name status executorType team { name } } } }`
const documentOf = (name: string, more = '') => `metadata: {name: ${name}, type: a.b, version: "1"}\n${more}`
const register = async (name: string, more = '', teamId?: string, actor = operator) =>
  (await ask(REGISTER, { input: { document: documentOf(name, more), teamId } }, actor)).data.registerAgent

test('the hierarchy is built once a name and read in one query', async () => {
  const createDomain = `mutation { createDomain(input: {name: " Operations "}) { domain { id name } } }`
  const [first, second] = [await ask(createDomain), await ask(createDomain)]
  expect(second).toEqual(first)
  const domainId = first.data.createDomain.domain.id
  const createTeam =
    'mutation ($id: ID!) { createTeam(input: {domainId: $id, name: "Support", priority: "high"}) { team { id } } }'
  const [team, again] = [await ask(createTeam, { id: domainId }), await ask(createTeam, { id: domainId })]
  expect(again).toEqual(team)
  const teamId = team.data.createTeam.team.id
  expect((await register('helper', '', teamId)).agent).toMatchObject({
    name: 'helper',
    team: { name: 'Support' },
  })

  const read = await ask(
    '{ organization { id domains { name teams { name priority domain { name } agents { name } } } } }',
  )
  expect(read.data.organization).toEqual({
    id: operator.organizationId,
    domains: [
      {
        name: 'Operations',
        teams: [
          { name: 'Support', priority: 'high', domain: { name: 'Operations' }, agents: [{ name: 'helper' }] },
        ],
      },
    ],
  })
  const foreign = await ask(createTeam, { id: domainId }, stranger)
  expect(foreign).toEqual(await ask(createTeam, { id: randomUUID() }, stranger))
  expect(foreign.codes).toEqual(['NOT_FOUND'])
  const misplaced = await ask(REGISTER, { input: { document: documentOf('x'), teamId } }, stranger)
  expect(misplaced.codes).toEqual(['NOT_FOUND'])
})

test('agents are listed in pages, by type and by capability', async () => {
  const other = await world.organization('operator')
  for (const name of ['a', 'b', 'c'])
    await register(name, name === 'b' ? 'capabilities: [writing]' : '', undefined, other)
  const list = `query ($after: String, $capability: String, $type: String) {
    agents(first: 2, after: $after, capability: $capability, type: $type) { nodes { name } pageInfo { hasNextPage endCursor } } }`
  const first = (await ask(list, {}, other)).data.agents
  expect(first).toMatchObject({ nodes: [{ name: 'a' }, { name: 'b' }], pageInfo: { hasNextPage: true } })
  const second = (await ask(list, { after: first.pageInfo.endCursor }, other)).data.agents
  expect(second).toMatchObject({ nodes: [{ name: 'c' }], pageInfo: { hasNextPage: false } })
  expect((await ask(list, { capability: 'writing' }, other)).data.agents.nodes).toEqual([{ name: 'b' }])
  expect((await ask(list, { type: 'a' }, other)).data.agents.nodes).toEqual([])
  expect((await ask(list, { type: 'a\0' }, other)).data.agents.nodes).toEqual([])
  expect((await ask('{ agents(first: 101) { nodes { id } } }', {}, other)).codes).toEqual(['BAD_INPUT'])
})

test('a document with mistakes is answered with all of them', async () => {
  const { errors } = await subgraph.execute({
    query: REGISTER,
    variables: { input: { document: 'metadata: {nam: x}' } },
    actor: operator,
  })
  expect(errors?.[0]?.extensions).toMatchObject({
    code: 'INVALID_DOCUMENT',
    problems: expect.arrayContaining([
      {
        code: 'unknown_key',
        path: 'metadata.nam',
        line: 1,
        column: 12,
        message: expect.any(String),
        hint: 'Did you mean "name"?',
      },
    ]),
  })
})

test('what a run sent is read with the agent that sent it', async () => {
  const { agent } = await register('sender')
  const runId = randomUUID()
  for (const body of ['one', 'two']) {
    const message = {
      idempotencyKey: `${runId}${body}`,
      agentId: agent.id,
      runId,
      channel: 'email',
      recipient: 'x',
      body,
    }
    await sendMessage(world, operator, message)
  }
  const query =
    'query ($run: [_Any!]!) { _entities(representations: $run) { ... on Run { messages { body agent { name } } } } }'
  const run = [{ __typename: 'Run', id: runId }]
  expect((await ask(query, { run })).data._entities).toEqual([
    {
      messages: [
        { body: 'one', agent: { name: 'sender' } },
        { body: 'two', agent: { name: 'sender' } },
      ],
    },
  ])
  expect((await ask(query, { run }, stranger)).data._entities).toEqual([{ messages: [] }])
})

test('entities are resolved in one read a type', async () => {
  const ids = await Promise.all(['e1', 'e2', 'e3'].map(async (name) => (await register(name)).agent.id))
  const reads = vi.spyOn(world.database, 'readTenant')
  const query = 'query ($all: [_Any!]!) { _entities(representations: $all) { ... on Agent { name } } }'
  const all = ids.map((id) => ({ __typename: 'Agent', id }))
  expect((await ask(query, { all })).data._entities).toEqual([{ name: 'e1' }, { name: 'e2' }, { name: 'e3' }])
  expect(reads).toHaveBeenCalledTimes(1)
  reads.mockRestore()
})

test('a foreign id, a random one and a malformed one answer alike, through every door', async () => {
  const { agent } = await register('private')
  const team = await world.database.inTenant(operator, async (tx) => {
    const organizationId = operator.organizationId
    const domain = await tx.db.domain.create({ data: { organizationId, name: 'secret' } })
    return tx.db.team.create({ data: { organizationId, domainId: domain.id, name: 'secret' } })
  })
  const { message } = await sendMessage(world, operator, {
    idempotencyKey: 'p',
    channel: 'c',
    recipient: 'r',
    body: 'b',
  })
  const entity =
    'query ($id: [_Any!]!) { _entities(representations: $id) { __typename ... on Agent { name } ... on Team { name } ... on Domain { name } ... on Organization { name } ... on OutboundMessage { body } } }'
  const doors: [string, (id: string) => Promise<unknown>][] = [
    [agent.id, (id) => ask('query ($id: ID!) { agent(id: $id) { name } }', { id }, stranger)],
    [team.id, (id) => ask('query ($id: ID!) { team(id: $id) { name } }', { id }, stranger)],
    [
      agent.id,
      (id) =>
        ask('mutation ($id: ID!) { retireAgent(input: {id: $id}) { agent { name } } }', { id }, stranger),
    ],
  ]
  const ids = {
    Agent: agent.id,
    Team: team.id,
    Domain: team.domainId,
    Organization: operator.organizationId,
    OutboundMessage: message.id,
  }
  for (const [__typename, own] of Object.entries(ids)) {
    doors.push([own, (id) => ask(entity, { id: [{ __typename, id }] }, stranger)])
  }
  for (const [own, open] of doors) {
    const random = await open(randomUUID())
    expect(await open(own)).toEqual(random)
    expect(await open('no id at all')).toEqual(random)
  }
})

test('a viewer reads and does not write; nobody reads without being known', async () => {
  const viewer = testActor('viewer', operator.organizationId)
  expect((await ask('{ agents { nodes { id } } }', {}, viewer)).codes).toBeUndefined()
  expect((await ask(REGISTER, { input: { document: documentOf('v') } }, viewer)).codes).toEqual(['FORBIDDEN'])
  const { errors } = await subgraph.execute({ query: '{ organization { id } }', actor: null })
  expect(errors?.[0]?.extensions['code']).toBe('UNAUTHENTICATED')
})
