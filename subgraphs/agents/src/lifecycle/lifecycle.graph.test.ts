import { testActor, type TestDatabase } from '@tutti/prisma/testing'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { agentExecutor } from '../agents/agent-executor.ts'
import { type AgentsWorld, openAgents } from '../testing/open-agents.ts'
import { finishRetirement } from './work-retirement.ts'

let opened: AgentsWorld
let world: TestDatabase
let operator: Actor
beforeAll(async () => {
  opened = await openAgents()
  world = opened.world
  operator = await world.organization('operator')
})
afterAll(() => opened[Symbol.asyncDispose]())

const ask = (query: string, variables: Record<string, unknown> = {}, actor = operator) =>
  opened.ask(actor, query, variables)

const documentOf = (name: string, version: string, more = '') =>
  `metadata: {name: ${name}, type: a.b, version: "${version}"}\n${more}`

async function register(name: string, more = '', actor = operator): Promise<string> {
  const { data } = await ask(
    'mutation ($document: String!) { registerAgent(input: {document: $document}) { agent { id } } }',
    { document: documentOf(name, '1', more) },
    actor,
  )
  return data.registerAgent.agent.id
}

const UPDATE = `mutation ($input: UpdateAgentInput!) { updateAgent(input: $input) {
  created version { number version } agent { version servingVersion { number } } } }`
const SCALE = `mutation ($input: ScaleAgentInput!) { scaleAgent(input: $input) {
  from agent { instances { ready maxConcurrentTasks } } } }`

const limitOf = async (agentId: string): Promise<number | null> => {
  const [row] = await world.database.readTenant<{ most: number }>(
    operator,
    `select max_running as most from engine_limit where scope = 'agent' and subject = $1`,
    [agentId],
  )
  return row?.most ?? null
}

test('an update is a version that serves, the same configuration none, and an earlier one serves again', async () => {
  const agentId = await register('writer')
  const update = (version: string, more: object = {}) =>
    ask(UPDATE, { input: { agentId, document: documentOf('writer', version), ...more } })
  expect((await update('2')).data.updateAgent).toEqual({
    created: true,
    version: { number: 2, version: '2' },
    agent: { version: '2', servingVersion: { number: 2 } },
  })
  expect((await update('2')).data.updateAgent).toMatchObject({ created: false, version: { number: 2 } })
  expect((await update('3', { serve: false })).data.updateAgent).toMatchObject({
    created: true,
    version: { number: 3 },
    agent: { version: '2', servingVersion: { number: 2 } },
  })

  const serve = (number: number) =>
    ask(
      `mutation ($input: ServeAgentVersionInput!) { serveAgentVersion(input: $input) {
        agent { version versions(first: 5) { nodes { number } } } } }`,
      { input: { agentId, number } },
    )
  expect((await serve(1)).data.serveAgentVersion.agent).toEqual({
    version: '1',
    versions: { nodes: [{ number: 1 }, { number: 2 }, { number: 3 }] },
  })
  expect((await serve(4)).codes).toEqual(['NOT_FOUND'])
})

test('workers go by the version that serves, and a version never changes', async () => {
  const agentId = await register('reader', 'executor: {type: builtin, function: echo}')
  const first = await agentExecutor(world, operator, agentId)
  const document = documentOf('reader', '2', 'executor: {type: builtin, function: noop}')
  await ask(UPDATE, { input: { agentId, document } })
  const second = await agentExecutor(world, operator, agentId, first)
  expect([first.executor.function, second.executor.function]).toEqual(['echo', 'noop'])
  const change = world.database.inTenant(operator, (tx) =>
    tx.sql(`update agent_version set configuration = '{}' where agent_id = $1::uuid returning id`, agentId),
  )
  await expect(change).rejects.toThrow(/does not change/)
})

test('a document of another name, an unknown agent and one of another tenant are refused', async () => {
  const agentId = await register('named')
  const stranger = await world.organization('operator')
  const document = documentOf('other', '2')
  const other = await ask(UPDATE, { input: { agentId, document } })
  expect([other.codes, other.problems]).toMatchObject([['INVALID_DOCUMENT'], [{ path: 'metadata.name' }]])
  for (const [query, more] of [
    [UPDATE, { document: documentOf('named', '2') }],
    [SCALE, { instances: 2 }],
  ] as const)
    expect((await ask(query, { input: { agentId, ...more } }, stranger)).codes).toEqual(['NOT_FOUND'])
})

test('instances times the tasks of each are what an agent takes at once; without any there is no bound', async () => {
  const agentId = await register('many', 'resource_requirements: {max_concurrent_tasks: 4, memory_mb: 512}')
  const scale = async (instances: number) =>
    (await ask(SCALE, { input: { agentId, instances, reason: 'more mail' } })).data.scaleAgent
  expect(await limitOf(agentId)).toBe(null)
  expect(await scale(3)).toEqual({ from: 0, agent: { instances: { ready: 3, maxConcurrentTasks: 12 } } })
  expect(await limitOf(agentId)).toBe(12)
  expect((await scale(1)).from).toBe(3)
  expect(await limitOf(agentId)).toBe(4)
  await ask(UPDATE, {
    input: {
      agentId,
      document: documentOf('many', '2', 'resource_requirements: {max_concurrent_tasks: 7}'),
    },
  })
  expect(await limitOf(agentId)).toBe(7)
  const events = await world.database.readTenant(
    operator,
    `select actor->>'id' as by, data - 'agentId' as data from log.event where type = 'agent.scaled' and subject = $1 order by seq`,
    [`agent/${agentId}`],
  )
  expect(events).toEqual([
    { by: operator.id, data: { name: 'many', from: 0, to: 3, reason: 'more mail' } },
    { by: operator.id, data: { name: 'many', from: 3, to: 1, reason: 'more mail' } },
  ])
  for (const instances of [0, 51, -1])
    expect((await ask(SCALE, { input: { agentId, instances } })).codes).toEqual(['BAD_INPUT'])
})

test('a quota bounds what is set aside, in the organization and in a domain, and says every bound that is passed', async () => {
  const actor = await world.organization('operator')
  const needs = 'resource_requirements: {memory_mb: 100, cpu_cores: 0.5}'
  const [one, two] = [await register('one', needs, actor), await register('two', needs, actor)]
  await world.database.inTenant(actor, (tx) =>
    tx.db.agentQuota.create({
      data: { organizationId: actor.organizationId, maxInstances: 5, maxMemoryMb: 450, maxCpuCores: 10 },
    }),
  )
  const scale = (agentId: string, instances: number) => ask(SCALE, { input: { agentId, instances } }, actor)
  expect((await scale(one, 3)).codes).toBeUndefined()
  const refused = await scale(two, 3)
  expect(refused.codes).toEqual(['QUOTA_EXCEEDED'])
  expect(refused.problems?.map((problem) => Reflect.get(Object(problem), 'path'))).toEqual([
    'instances',
    'resource_requirements.memory_mb',
  ])
  // Two who ask at once for the last place: one gets it.
  const both = await Promise.all([scale(one, 4), scale(two, 1)])
  expect(both.filter(({ codes }) => codes === undefined)).toHaveLength(1)
  expect((await scale(one, 1)).codes).toBeUndefined()
  expect((await scale(two, 3)).codes).toBeUndefined()
})

test('an agent on its way out takes nothing, is neither scaled nor updated, and stays when it is registered anew', async () => {
  const agentId = await register('leaving')
  await ask(SCALE, { input: { agentId, instances: 2 } })
  const RETIRE = `mutation ($id: ID!) { retireAgent(input: {id: $id, timeoutSeconds: 60, reason: "replaced"}) {
    agent { status retirement { status reason handedOver finalState } } } }`
  const draining = { status: 'DRAINING', reason: 'replaced', handedOver: 0, finalState: null }
  for (const _ of [1, 2])
    expect((await ask(RETIRE, { id: agentId })).data.retireAgent.agent).toEqual({
      status: 'DRAINING',
      retirement: draining,
    })
  expect(await limitOf(agentId)).toBe(0)
  expect((await ask(SCALE, { input: { agentId, instances: 3 } })).codes).toEqual(['INVALID_STATE'])
  expect((await ask(UPDATE, { input: { agentId, document: documentOf('leaving', '2') } })).codes).toEqual([
    'INVALID_STATE',
  ])
  await register('leaving')
  expect(await limitOf(agentId)).toBe(2)
  const { data } = await ask('query ($id: ID!) { agent(id: $id) { status retirement { status } } }', {
    id: agentId,
  })
  expect(data.agent).toEqual({ status: 'ACTIVE', retirement: { status: 'CANCELLED' } })
})

const FIELDS = {
  metadata: { name: 'typed', type: 'a.b', version: '1' },
  capabilities: ['reading'],
  resourceRequirements: { memoryMb: 64, maxConcurrentTasks: 2 },
  triggers: [{ type: 'SCHEDULE', expression: '0 9 * * *' }],
  executor: { type: 'BUILTIN', function: 'echo', settings: { keepThis: true } },
}
const TYPED = JSON.stringify({
  ...FIELDS,
  resource_requirements: { memory_mb: 64, max_concurrent_tasks: 2 },
  resourceRequirements: undefined,
  triggers: [{ type: 'schedule', expression: '0 9 * * *' }],
  executor: { type: 'builtin', function: 'echo', settings: { keepThis: true } },
})
const REGISTER = `mutation ($input: RegisterAgentInput!) { registerAgent(input: $input) {
  changed agent { id executorType configuration } } }`
const DEPLOY = `mutation ($input: DeployAgentInput!) { deployAgent(input: $input) {
  deployment { id agentName status } } }`

test('a configuration that is given field by field is the same as its document', async () => {
  const actor = await world.organization('operator')
  const first = await ask(REGISTER, { input: { configuration: FIELDS } }, actor)
  expect(first.codes).toBeUndefined()
  expect(first.data.registerAgent).toMatchObject({
    changed: true,
    agent: { executorType: 'builtin', configuration: { executor: { settings: { keepThis: true } } } },
  })
  const again = await ask(REGISTER, { input: { document: TYPED } }, actor)
  expect(again.data.registerAgent.changed).toBe(false)

  const agentId = first.data.registerAgent.agent.id
  const update = (input: object) => ask(UPDATE, { input: { agentId, ...input } }, actor)
  expect((await update({ configuration: FIELDS })).data.updateAgent).toMatchObject({
    created: false,
    version: { number: 1 },
  })
  const next = { ...FIELDS, metadata: { ...FIELDS.metadata, version: '2' } }
  expect((await update({ configuration: next })).data.updateAgent).toMatchObject({
    created: true,
    version: { number: 2, version: '2' },
  })
  const other = { ...FIELDS, metadata: { ...FIELDS.metadata, name: 'other' } }
  expect(await update({ configuration: other })).toMatchObject({
    codes: ['INVALID_DOCUMENT'],
    problems: [{ code: 'other_name', path: 'input.configuration.metadata.name' }],
  })

  const deploy = () => ask(DEPLOY, { input: { configuration: FIELDS, idempotencyKey: 'once' } }, actor)
  const deployed = await deploy()
  expect(deployed.data.deployAgent.deployment).toMatchObject({ agentName: 'typed', status: 'RUNNING' })
  expect((await deploy()).data).toEqual(deployed.data)
})

test('mistakes of typed configurations have their places in the argument, and one of both ways is taken', async () => {
  const wrong = {
    metadata: { name: '', type: 'A', version: '1' },
    executor: { type: 'HTTP' },
    aiModels: { primary: 'm', cacheSteps: { draft: 'never' } },
  }
  for (const [query, more] of [
    [REGISTER, {}],
    [DEPLOY, {}],
    [UPDATE, { agentId: 'a' }],
  ] as const) {
    const refused = await ask(query, { input: { configuration: wrong, ...more } })
    expect(refused.codes).toEqual(['INVALID_DOCUMENT'])
    expect(refused.problems?.map((problem) => Reflect.get(Object(problem), 'path'))).toEqual([
      'input.configuration.metadata.name',
      'input.configuration.metadata.type',
      'input.configuration.aiModels.cacheSteps.draft',
      'input.configuration.executor.url',
    ])
    for (const input of [{}, { document: TYPED, configuration: FIELDS }])
      expect((await ask(query, { input: { ...input, ...more } })).codes).toEqual(['BAD_INPUT'])
  }
})

const RESTORE = `mutation ($input: RestoreAgentInput!) { restoreAgent(input: $input) { agent {
  id status version servingVersion { number } instances { ready maxConcurrentTasks } } } }`
const STATE = 'query ($id: ID!) { agent(id: $id) { status retirement { status finalState } } }'

/** Retires an agent, with nothing of it under way. */
async function retire(agentId: string, actor: Actor): Promise<void> {
  await ask('mutation ($id: ID!) { retireAgent(input: {id: $id}) { agent { id } } }', { id: agentId }, actor)
  const { organizationId } = actor
  expect(await finishRetirement(world, { organizationId, agentId, status: 'draining' }, {})).toBe(true)
}

test('a retired agent comes back as it was, with its instances and its inbox; one that is not retired does not', async () => {
  const actor = await world.organization('operator')
  const more = 'resource_requirements: {max_concurrent_tasks: 3}'
  const agentId = await register('returning', more, actor)
  await ask(UPDATE, { input: { agentId, document: documentOf('returning', '2', more) } }, actor)
  const send = (body: unknown, priority: string) =>
    ask(
      'mutation ($input: SendMessageInput!) { sendMessage(input: $input) { message { id } } }',
      { input: { to: { agent: agentId }, body, priority } },
      actor,
    )
  await send({ hello: 'there' }, 'NORMAL')
  await send({ long: 'x'.repeat(5_000) }, 'URGENT')
  const restore = (more: object = {}) => ask(RESTORE, { input: { id: agentId, ...more } }, actor)
  expect(await restore()).toMatchObject({ data: null, codes: ['INVALID_STATE'] })
  await retire(agentId, actor)

  const inboxOf = async (who: Actor) =>
    (await ask(STATE, { id: agentId }, who)).data.agent.retirement.finalState.inbox
  expect(await inboxOf(actor)).toMatchObject({
    waiting: 2,
    messages: [
      { priority: 'urgent', body: null, deliveries: 0 },
      { priority: 'normal', body: { hello: 'there' }, kind: 'message', sender: { id: actor.id } },
    ],
  })
  const viewers = await inboxOf(testActor('viewer', actor.organizationId))
  expect(viewers.messages).toHaveLength(2)
  expect(JSON.stringify(viewers)).not.toContain('hello')

  for (const instances of [0, 51]) expect((await restore({ instances })).codes).toEqual(['BAD_INPUT'])
  expect((await restore({ instances: 2, reason: 'missed' })).data.restoreAgent.agent).toEqual({
    id: agentId,
    status: 'ACTIVE',
    version: '2',
    servingVersion: { number: 2 },
    instances: { ready: 2, maxConcurrentTasks: 6 },
  })
  expect((await restore()).codes).toEqual(['INVALID_STATE'])
  const { data } = await ask(
    'mutation ($input: ReceiveMessagesInput!) { receiveMessages(input: $input) { messages { body } } }',
    { input: { agent: agentId, most: 2 } },
    actor,
  )
  expect(data.receiveMessages.messages.map(({ body }: { body: object }) => Object.keys(body))).toEqual([
    ['long'],
    ['hello'],
  ])
  const [event] = await world.database.readTenant<{ data: object }>(
    actor,
    `select data from log.event where type = 'agent.restored' and subject = $1`,
    [`agent/${agentId}`],
  )
  expect(event?.data).toEqual({ agentId, name: 'returning', number: 2, reason: 'missed' })
})

test('an agent comes back within the quotas, in its own organization, and not beside its deployment', async () => {
  const actor = await world.organization('operator')
  const agentId = await register('kept', 'resource_requirements: {memory_mb: 100}', actor)
  await retire(agentId, actor)
  await world.database.inTenant(actor, (tx) =>
    tx.db.agentQuota.create({ data: { organizationId: actor.organizationId, maxMemoryMb: 150 } }),
  )
  const restore = (instances: number, who = actor) => ask(RESTORE, { input: { id: agentId, instances } }, who)
  expect((await restore(2)).codes).toEqual(['QUOTA_EXCEEDED'])
  expect((await ask(STATE, { id: agentId }, actor)).data.agent.status).toBe('RETIRED')
  expect((await restore(1, await world.organization('operator'))).codes).toEqual(['NOT_FOUND'])
  const deployed = await ask(DEPLOY, { input: { document: documentOf('kept', '2') } }, actor)
  expect(deployed.codes).toBeUndefined()
  expect((await restore(1)).codes).toEqual(['INVALID_STATE'])
})
