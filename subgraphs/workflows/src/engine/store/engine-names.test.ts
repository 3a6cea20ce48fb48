import { expect, test } from 'vitest'
import type { Transition } from '../core/index.ts'
import { createEngineNames } from './engine-names.ts'

const ORGANIZATION = '00000000-0000-4000-8000-000000000001'

/** A task of an agent, as the core creates it. */
const taskOf = (agent: string): Transition => ({
  type: 'create_task',
  kind: 'agent',
  node: agent,
  path: agent,
  status: 'ready',
  input: {},
  attempt: 1,
  agent,
  timeoutMs: 1_000,
  maxAttempts: 1,
})

/** A database in which every agent is that is asked for; reading takes `takes` milliseconds of the clock. */
function world(takes: number) {
  const clock = { now: 0 }
  const reads: string[][] = []
  const client = {
    query: async (_text: string, [, names]: [string, string[]]) => {
      reads.push(names)
      clock.now += takes
      return { rows: names.map((name) => ({ id: `id of ${name}`, name, capabilities: [] })) }
    },
  }
  const names = createEngineNames(() => clock.now)
  const ask = (...agents: string[]) => names.of(client as never, ORGANIZATION, agents.map(taskOf))
  return { clock, reads, names, client, ask }
}

test('a name that was known when it was asked for is known, however long the others take to be read', async () => {
  const { clock, ask } = world(10_000)
  await ask('known')
  clock.now += 4_990
  const names = await ask('known', 'other')
  expect([names.agent({ agent: 'known' })?.id, names.agent({ agent: 'other' })?.id]).toEqual([
    'id of known',
    'id of other',
  ])
})

test('a worker that was stopped between asking and using what it was told goes on with it', async () => {
  const { clock, ask } = world(0)
  const names = await ask('known')
  clock.now += 60_000
  expect(names.agent({ agent: 'known' })?.id).toBe('id of known')
})

test('names are read again after five seconds, and not before', async () => {
  const { clock, reads, ask } = world(0)
  await ask('known')
  clock.now += 4_999
  await ask('known')
  expect(reads).toHaveLength(1)
  clock.now += 1
  await ask('known')
  expect(reads).toHaveLength(2)
})

test('whom a message is for is looked up as well', async () => {
  const { names, client } = world(0)
  const found = await names.of(client as never, ORGANIZATION, [
    {
      type: 'create_task',
      kind: 'message',
      node: 'tell',
      path: 'tell',
      status: 'ready',
      input: {},
      attempt: 1,
      to: 'reader',
      channel: 'inbox',
      timeoutMs: 1_000,
      maxAttempts: 1,
    },
  ])
  expect(found.agent({ agent: 'reader' })?.id).toBe('id of reader')
})
