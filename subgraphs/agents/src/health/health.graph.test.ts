import { randomUUID } from 'node:crypto'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { agentExecutor } from '../agents/agent-executor.ts'
import { registerAgent } from '../agents/register-agent.ts'
import { breakersOf } from '../breaker/open-breakers.ts'
import { type AgentsWorld, openAgents } from '../testing/open-agents.ts'
import { noteCheck } from './note-check.ts'
import { watchNewAgents } from './take-due-checks.ts'

let opened: AgentsWorld
let operator: Actor
beforeAll(async () => {
  opened = await openAgents()
})
beforeEach(async () => {
  operator = await opened.world.organization('operator')
})
afterAll(() => opened[Symbol.asyncDispose]())

const ask = (query: string, variables: Record<string, unknown> = {}, actor = operator) =>
  opened.ask(actor, query, variables)

/** An agent outside, which is looked at; answers with its id. */
async function outside(name: string, version = '1.0.0', host = name): Promise<string> {
  const document = `metadata: { name: ${name}, type: test.press, version: ${version} }\nexecutor: { type: http, url: "https://${host}.example.com" }\n`
  const { agent } = await registerAgent(opened.world, operator, { document })
  await watchNewAgents(opened.world)
  return agent.id
}

/** Checks of an agent that found this, one after another. */
async function found(id: string, ...checks: boolean[]): Promise<void> {
  for (const ok of checks) {
    const agent = await agentExecutor(opened.world, operator, id)
    const result = ok ? ({ ok } as const) : ({ ok, reason: 'No connection.' } as const)
    await noteCheck(opened.world, operator, agent, result, agent.reliability.health)
  }
}

const SYSTEM = '{ systemHealth { status agents healthy unhealthy openBreakers running queueLength } }'
const system = async (actor = operator) => (await ask(SYSTEM, {}, actor)).data.systemHealth

/** Opens the breaker of an agent by as many failures as it takes. */
async function breakDown(agentId: string, version?: number): Promise<void> {
  const settings = { failures: 2, windowMs: 86_400_000, openMs: 60_000, maxOpenMs: 60_000, trialMs: 60_000 }
  const { organizationId } = operator
  const of = { organizationId, scope: 'agent', subject: agentId, name: 'press', settings } as const
  const subject = version === undefined ? of : { ...of, version }
  const breakers = breakersOf(opened.world.database)
  for (let time = 0; time < 2; time++)
    await breakers.failed(subject, { code: 'AGENT_UNREACHABLE', message: 'No connection.' })
}

test('systemHealth sums up how the agents of an organization are, and nobody else’s', async () => {
  const nothing = { agents: 0, healthy: 0, unhealthy: 0, openBreakers: 0, running: 0, queueLength: 0 }
  expect(await system()).toEqual({ ...nothing, status: 'UNKNOWN' })
  const [well, ill] = [await outside('well'), await outside('ill')]
  expect(await system()).toEqual({ ...nothing, agents: 2, status: 'UNKNOWN' })
  await found(well, true)
  expect(await system()).toEqual({ ...nothing, agents: 2, healthy: 1, status: 'HEALTHY' })
  // Two failures are not enough yet.
  await found(ill, false, false)
  expect(await system()).toMatchObject({ unhealthy: 0, status: 'HEALTHY' })
  await found(ill, false)
  expect(await system()).toEqual({ ...nothing, agents: 2, healthy: 1, unhealthy: 1, status: 'UNHEALTHY' })
  await found(ill, true, true)
  expect(await system()).toMatchObject({ healthy: 2, unhealthy: 0, status: 'HEALTHY' })
  await breakDown(well)
  expect(await system()).toMatchObject({ healthy: 2, openBreakers: 1, status: 'UNHEALTHY' })
  expect(await system(await opened.world.organization('viewer'))).toEqual({ ...nothing, status: 'UNKNOWN' })
  expect((await ask(SYSTEM, {}, { ...operator, scopes: [] })).codes).toEqual(['FORBIDDEN'])
})

test('agentHealth tells of what happens to one agent, of the past and then live', async () => {
  const [one, other] = [await outside('one'), await outside('other')]
  await found(one, false, false, false)
  await found(other, false, false, false)
  const leaving = new AbortController()
  const query =
    'subscription ($agent: ID!) { agentHealth(agentId: $agent, after: "0000000000000") { type agent { name } } }'
  const feed = opened.subgraph.subscribe(
    { query, variables: { agent: one }, actor: operator },
    leaving.signal,
  )
  const seen: string[] = []
  for await (const delivery of feed) {
    const { type, agent } = JSON.parse(JSON.stringify(delivery)).data.agentHealth
    seen.push(`${type} ${agent.name}`)
    if (seen.length === 1) await found(one, true, true)
    else if (seen.length === 2) await breakDown(one)
    else break
  }
  leaving.abort()
  expect(seen).toEqual(['agent.unhealthy one', 'agent.healthy one', 'breaker.opened one'])
})

test('resetBreaker closes a breaker at once and says so, once; it takes an agent or a provider, and one of them', async () => {
  const agentId = await outside('press')
  const RESET =
    'mutation ($input: ResetBreakerInput!) { resetBreaker(input: $input) { breaker { state failures provider agent { name } } } }'
  await breakDown(agentId)
  const state = async () =>
    (await ask('query ($id: ID!) { agent(id: $id) { breaker { state } } }', { id: agentId })).data.agent
      .breaker.state
  expect(await state()).toBe('OPEN')
  const stranger = await opened.world.organization('operator')
  expect((await ask(RESET, { input: { agentId } }, stranger)).codes).toEqual(['NOT_FOUND'])
  expect(await state()).toBe('OPEN')
  for (let time = 0; time < 2; time++)
    expect((await ask(RESET, { input: { agentId } })).data.resetBreaker.breaker).toEqual({
      state: 'CLOSED',
      failures: 0,
      provider: null,
      agent: { name: 'press' },
    })
  expect(await state()).toBe('CLOSED')
  expect((await opened.events(operator, 'breaker.closed')).map(({ data }) => data)).toEqual([
    { scope: 'agent', name: 'press', agentId, cause: 'reset' },
  ])
  expect((await ask(RESET, { input: { provider: 'acme' } })).data.resetBreaker.breaker).toMatchObject({
    provider: 'acme',
    agent: null,
  })
  expect((await ask(RESET, { input: {} })).codes).toEqual(['BAD_INPUT'])
  expect((await ask(RESET, { input: { agentId, provider: 'acme' } })).codes).toEqual(['BAD_INPUT'])
  expect((await ask(RESET, { input: { agentId: randomUUID() } })).codes).toEqual(['NOT_FOUND'])
})

test('an agent that moves is called at once: its breaker closes, and calls of where it was count no more', async () => {
  const state = async (id: string) =>
    (await ask('query ($id: ID!) { agent(id: $id) { breaker { state } } }', { id })).data.agent.breaker.state
  const agentId = await outside('mover')
  await breakDown(agentId, 1)
  expect(await state(agentId)).toBe('OPEN')
  // A version that is called as the one before says nothing of whether it works.
  await outside('mover', '1.1.0')
  expect(await state(agentId)).toBe('OPEN')
  await outside('mover', '1.2.0', 'elsewhere')
  expect(await state(agentId)).toBe('CLOSED')
  expect((await opened.events(operator, 'breaker.closed')).map(({ data }) => data)).toEqual([
    { scope: 'agent', name: 'mover', agentId, cause: 'reset' },
  ])

  const other = await outside('other')
  await outside('other', '1.1.0', 'elsewhere')
  await breakDown(other, 1)
  expect(await state(other)).toBe('CLOSED')
  await breakDown(other, 2)
  expect(await state(other)).toBe('OPEN')
})

test('setReliability keeps what it does not name, of an agent over the organization’s, and says who changed', async () => {
  const agentId = await outside('press')
  const SET = `mutation ($input: SetReliabilityInput!) { setReliability(input: $input) { reliability { breaker { failures }
    health { intervalSeconds } recovery { kind actions } fallbackAnswer } } }`
  const read = async (id: string | null) =>
    (
      await ask(
        'query ($id: ID) { reliability(agentId: $id) { breaker { failures } health { intervalSeconds } fallbackAnswer } }',
        { id },
      )
    ).data.reliability
  await ask(SET, { input: { breaker: { failures: 9 }, health: { intervalSeconds: 30 } } })
  await ask(SET, { input: { agentId, breaker: { failures: 2 }, fallbackAnswer: 'later' } })
  expect(await read(null)).toEqual({
    breaker: { failures: 9 },
    health: { intervalSeconds: 30 },
    fallbackAnswer: null,
  })
  expect(await read(agentId)).toEqual({
    breaker: { failures: 2 },
    health: { intervalSeconds: 30 },
    fallbackAnswer: 'later',
  })
  const recovery = [{ kind: 'TIMEOUT', actions: ['RESTART', 'DEGRADE'] }]
  expect((await ask(SET, { input: { agentId, recovery } })).data.setReliability.reliability).toMatchObject({
    recovery,
    fallbackAnswer: 'later',
  })
  expect(
    (await ask(SET, { input: { recovery: [{ kind: 'SERVER', actions: ['DEGRADE', 'RESTART'] }] } })).codes,
  ).toEqual(['BAD_INPUT'])
  expect(
    (await opened.events(operator, 'reliability.changed')).map(({ subject, data }) => [subject, data]),
  ).toEqual([
    ['reliability', { agentId: null }],
    [`agent/${agentId}`, { agentId }],
    [`agent/${agentId}`, { agentId }],
  ])
})
