import { expect, test } from 'vitest'

import { composeTestGraph } from '../testing/compose.ts'
import { startTestGateway } from '../testing/start-test-gateway.ts'
import { createGateway } from './create-gateway.ts'

const log = { error() {} }

test('answers one query from three subgraphs', async () => {
  await using door = await startTestGateway()
  const { status, body } = await door.post('{ task(id: "5") { title agent { name } quality { score } } }', {
    key: 'tutti_viewer',
  })
  expect(status).toBe(200)
  expect(body).toEqual({
    data: { task: { title: 'Task 5', agent: { name: 'Agent a5' }, quality: { score: 0.05 } } },
  })
})

test('a list costs one fetch a subgraph, not one an item', async () => {
  await using door = await startTestGateway()
  await door.post('{ tasks(first: 30) { id agent { name } quality { score } } }', { key: 'tutti_viewer' })
  const calls = door.world.asked
  expect(calls).toEqual({ 'tasks.root': 1, 'agents.entity': 30, 'quality.entity': 30 })
})

test('keeps what it has when a subgraph fails, says where, and tells nobody why', async () => {
  await using door = await startTestGateway()
  door.world.failing.add('5')
  const { body, text } = await door.post('{ task(id: "5") { title quality { score } } }', {
    key: 'tutti_viewer',
  })
  expect(body.data).toEqual({ task: { title: 'Task 5', quality: null } })
  expect(body.errors?.[0]).toMatchObject({ path: ['task'], extensions: { code: 'INTERNAL' } })
  expect(text).not.toContain('hunter2')
  expect(text).not.toContain('serviceName')
  expect(door.masked).toHaveLength(1)
})

test('an entity that does not exist is null without an error', async () => {
  await using door = await startTestGateway()
  door.world.absent.add('5')
  const { body } = await door.post('{ task(id: "5") { title quality { score } } }', { key: 'tutti_viewer' })
  expect(body).toEqual({ data: { task: { title: 'Task 5', quality: null } } })
})

test('what takes too long ends with TIMEOUT', async () => {
  await using door = await startTestGateway({ timings: { request: 50 } })
  const { body } = await door.post('{ slow(ms: 2000) }', { key: 'tutti_viewer' })
  expect(body.errors?.[0]?.extensions?.['code']).toBe('TIMEOUT')
})

test('does not start over a supergraph that protects nothing', async () => {
  const supergraphSdl = composeTestGraph({ open: true })
  await expect(
    createGateway({ supergraphSdl, subgraphs: [], identify: async () => null, log }),
  ).rejects.toThrow('no security directive')
})

test('does not start over a security feature it does not enforce', async () => {
  const supergraphSdl = composeTestGraph().replace(
    'https://specs.apollo.dev/policy/v0.1',
    'https://specs.apollo.dev/encrypted/v0.1',
  )
  await expect(
    createGateway({ supergraphSdl, subgraphs: [], identify: async () => null, log }),
  ).rejects.toThrow('does not enforce')
})

test('does not start without all of its subgraphs', async () => {
  const supergraphSdl = composeTestGraph()
  await expect(
    createGateway({ supergraphSdl, subgraphs: [], identify: async () => null, log }),
  ).rejects.toThrow('agents, quality, tasks')
})

test('says that it lives and that it is ready', async () => {
  await using door = await startTestGateway()
  expect((await fetch(`${door.url}/health`)).status).toBe(200)
  const ready = await fetch(`${door.url}/ready`)
  expect(ready.status).toBe(200)
  expect(await ready.json()).toMatchObject({ checks: { agents: true, tasks: true, quality: true } })
})
