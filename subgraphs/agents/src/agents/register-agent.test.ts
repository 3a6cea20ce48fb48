import { readFileSync } from 'node:fs'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { agentExecutor } from './agent-executor.ts'
import { findAgentsByName } from './find-agents-by-name.ts'
import { registerAgent } from './register-agent.ts'
import { retireAgent } from '../lifecycle/retire-agent.ts'
import { finishRetirement } from '../lifecycle/work-retirement.ts'

let world: TestDatabase
let actor: Actor
beforeAll(async () => {
  world = await openTestDatabase()
  actor = await world.organization('operator')
})
afterAll(() => world[Symbol.asyncDispose]())

const CLASSIFIER = `
metadata: { name: classifier, type: service.intent, version: 1.0.0 }
ai_models: { primary: gpt-4-turbo, fallback: gpt-3.5-turbo }
executor:
  type: builtin
  function: intent
  settings: { examples: ../intents.csv }
`
const files = [{ name: '../intents.csv', content: 'text,category\nhello,greeting\n' }]

const events = (agentId: string) =>
  world.database.readTenant(actor, 'select type from log.event where subject = $1 order by seq', [
    `agent/${agentId}`,
  ])

test('the same document again changes nothing, another version or file does', async () => {
  const first = await registerAgent(world, actor, { document: CLASSIFIER, files })
  expect(first).toMatchObject({
    changed: true,
    agent: { name: 'classifier', executorType: 'builtin', status: 'active' },
  })

  const reordered = `{"executor": {"settings": {"examples": "../intents.csv"}, "function": "intent", "type": "builtin"},
    "ai_models": {"fallback": "gpt-3.5-turbo", "primary": "gpt-4-turbo"},
    "metadata": {"version": "1.0.0", "type": "service.intent", "name": "classifier"}}`
  const again = await registerAgent(world, actor, { document: reordered, files })
  expect(again).toEqual({ agent: first.agent, changed: false })

  const otherFile = [{ name: '../intents.csv', content: 'text,category\nbye,farewell\n' }]
  const changed = await registerAgent(world, actor, { document: CLASSIFIER, files: otherFile })
  expect(changed.changed).toBe(true)
  expect(changed.agent.id).toBe(first.agent.id)
  expect(await events(first.agent.id)).toEqual([{ type: 'agent.registered' }, { type: 'agent.registered' }])
})

test('workers get the files in full, readers only their size and sum', async () => {
  const { agent } = await registerAgent(world, actor, { document: CLASSIFIER, files })
  const known = await agentExecutor(world, actor, agent.id)
  expect(known.executor.files['../intents.csv']?.content).toBe(files[0]?.content)
  expect(known.models).toEqual({ primary: 'gpt-4-turbo', fallback: 'gpt-3.5-turbo' })
  expect(JSON.stringify(agent.configuration)).not.toContain('greeting')
  expect(agent.configuration).toMatchObject({ executor: { files: [{ name: '../intents.csv', size: 29 }] } })

  const again = await agentExecutor(world, actor, agent.id, known)
  expect(again.executor).toBe(known.executor)
})

test('a file that the settings do not name is refused', async () => {
  const stray = registerAgent(world, actor, {
    document: CLASSIFIER,
    files: [{ name: 'intents.csv', content: 'x' }],
  })
  await expect(stray).rejects.toMatchObject({
    code: 'INVALID_DOCUMENT',
    problems: [{ code: 'unused_file', path: 'files.0.name' }],
  })
})

test('without an executor an agent is the built-in function of its name, or unbound', async () => {
  const register = (name: string) =>
    registerAgent(world, actor, { document: `metadata: {name: ${name}, type: a.b, version: "1"}` })
  expect((await register('echo')).agent.executorType).toBe('builtin')
  expect((await register('Social Media Agent')).agent.executorType).toBe('unbound')
})

test('a retired agent takes work again when it is registered anew', async () => {
  const { agent } = await registerAgent(world, actor, { document: CLASSIFIER, files })
  expect((await retireAgent(world, actor, agent)).status).toBe('draining')
  expect((await retireAgent(world, actor, agent)).status).toBe('draining')
  const { organizationId } = actor
  await finishRetirement(world, { organizationId, agentId: agent.id, status: 'draining' }, {})
  expect((await retireAgent(world, actor, agent)).status).toBe('retired')
  const again = await registerAgent(world, actor, { document: CLASSIFIER, files })
  expect(again).toMatchObject({ changed: true, agent: { id: agent.id, status: 'active' } })
  expect((await events(agent.id)).slice(-2)).toEqual([
    { type: 'agent.retired' },
    { type: 'agent.registered' },
  ])
})

test('two who register one name at once get one agent, and one of them changed it', async () => {
  const document = 'metadata: {name: twin, type: a.b, version: "1"}'
  const both = await Promise.all([1, 2, 3, 4].map(() => registerAgent(world, actor, { document })))
  expect(new Set(both.map(({ agent }) => agent.id)).size).toBe(1)
  expect(both.filter(({ changed }) => changed)).toHaveLength(1)
})

test('one tenant neither finds, reads nor retires the agents of another', async () => {
  const { agent } = await registerAgent(world, actor, { document: CLASSIFIER, files })
  const stranger = await world.organization('admin')
  expect(await findAgentsByName(world, stranger, ['classifier'])).toEqual(new Map())
  await expect(agentExecutor(world, stranger, agent.id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(retireAgent(world, stranger, agent)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  const own = await registerAgent(world, stranger, { document: CLASSIFIER, files })
  expect(own.changed).toBe(true)
  expect(own.agent.id).not.toBe(agent.id)
})

test('the agents of the example are accepted as they stand', async () => {
  const directory = new URL('../../../../examples/customer-service/agents/', import.meta.url)
  const names =
    'sentiment_analyzer intent_classifier knowledge_retriever response_generator quality_controller message_sender escalation_manager'
  for (const name of names.split(' ')) {
    const document = readFileSync(new URL(`${name}.yaml`, directory), 'utf8')
    const given = name === 'intent_classifier' ? files : []
    expect((await registerAgent(world, actor, { document, files: given })).agent.name).toBe(name)
  }
  expect([...(await findAgentsByName(world, actor, [...names.split(' '), 'nobody'])).keys()].sort()).toEqual(
    names.split(' ').sort(),
  )
})
