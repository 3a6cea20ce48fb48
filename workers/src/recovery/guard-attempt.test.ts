import { agents } from '@tutti/agents'
import { type AgentExecutor, type Breakers, readReliability, registerAgent } from '@tutti/agents/domain'
import { openTail, type Tail } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { bindSubgraph, createKms, createLog } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { AttemptOutcome, ClaimedTask } from '@tutti/workflows/domain'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { failed, succeeded } from '../executors/executor.ts'
import { guardAttempt } from './guard-attempt.ts'
import { recoverOverdue } from './recover-overdue.ts'

let world: TestDatabase
let tail: Tail
let actor: Actor
const log = createLog('test', 'silent')

beforeAll(async () => {
  world = await openTestDatabase()
  tail = await openTail(world.database)
  actor = await world.organization()
})
afterAll(async () => {
  await tail[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

const agentWith = (settings: object): AgentExecutor => ({
  id: '0198a000-0000-7000-8000-000000000001',
  name: 'press',
  type: 'test.press',
  status: 'active',
  teamId: null,
  domainId: null,
  version: 1,
  configurationHash: '',
  executor: { type: 'http', url: 'https://press.example.com', settings: {}, files: {} },
  models: null,
  governs: null,
  reliability: readReliability(settings),
})

const taskOf = (attempt = 1): ClaimedTask => ({
  organizationId: actor.organizationId,
  id: '0198a000-0000-7000-8000-000000000002',
  runId: '0198a000-0000-7000-8000-000000000003',
  stepPath: 'set',
  nodeId: 'set',
  kind: 'agent',
  generation: 0,
  agentId: '0198a000-0000-7000-8000-000000000001',
  agentName: 'press',
  attempt,
  timeoutMs: 1_000,
  input: {},
  workflowId: '0198a000-0000-7000-8000-000000000004',
  workflowName: 'typeset',
  strandId: '0198a000-0000-7000-8000-000000000005',
  fence: 1n,
})

/** Breakers that answer so, and remember what they were told. */
function breakersThat(answer: 'pass' | 'trial' | 'wait') {
  const told: string[] = []
  const breakers: Breakers = {
    ask: async () => ({ answer, retryAfterMs: answer === 'wait' ? 700 : 0 }),
    failed: async ({ version }, { code }, asTrial = false) =>
      void told.push(`${code}${asTrial ? ' as trial' : ''} of version ${version}`),
    worked: async (_subject, asTrial = false) => void told.push(asTrial ? 'worked as trial' : 'worked'),
  }
  return { breakers, told }
}

interface Given {
  answer?: 'pass' | 'trial' | 'wait'
  settings?: object
  attempt?: number
  found?: { ok: true } | { ok: false; reason: string }
  signal?: AbortSignal
}

async function play(outcome: AttemptOutcome, given: Given = {}) {
  const { answer = 'pass', settings = {}, attempt = 1, found = { ok: true }, signal } = given
  const { breakers, told } = breakersThat(answer)
  let calls = 0
  const services = {
    database: world.database,
    tail,
    log: createLog('test', 'silent'),
    breakers,
    probe: async () => found,
  }
  const call = {
    task: taskOf(attempt),
    agent: agentWith(settings),
    signal: signal ?? new AbortController().signal,
  }
  const result = await guardAttempt(services, call, async () => {
    calls += 1
    return outcome
  })
  return { result, told, calls }
}

const unreachable = failed('AGENT_UNREACHABLE', 'No connection.', { retryable: true })
const escalations = () =>
  world.database.readTenant<{ title: string }>(
    actor,
    'select title from escalation where organization_id = $1',
    [actor.organizationId],
  )

test('the breaker is told of failures that say that the agent is broken, and that others are not', async () => {
  expect((await play(unreachable)).told).toEqual(['AGENT_UNREACHABLE of version 1'])
  expect((await play(failed('AGENT_REFUSED', '503', { retryable: true, fault: 'server' }))).told).toEqual([
    'AGENT_REFUSED of version 1',
  ])
  expect((await play(failed('AGENT_REFUSED', '429', { retryable: true, fault: 'overload' }))).told).toEqual([
    'worked',
  ])
  expect((await play(failed('OUT_OF_PAPER', 'no', { retryable: true }))).told).toEqual(['worked'])
  expect((await play(succeeded('done'))).told).toEqual(['worked'])
  expect((await play(unreachable, { signal: AbortSignal.abort(new Error('STEP_TIMED_OUT')) })).told).toEqual([
    'STEP_TIMED_OUT of version 1',
  ])
  expect((await play(unreachable, { signal: AbortSignal.abort(new Error('LEASE_LOST')) })).told).toEqual([])
})

test('while it is open the agent is not called, and is to be tried again when it may', async () => {
  const { result, calls } = await play(succeeded('done'), { answer: 'wait' })
  expect(calls).toBe(0)
  expect(result).toMatchObject({
    type: 'failed',
    error: { code: 'AGENT_BREAKER_OPEN', retryable: true, retryAfterMs: 700 },
  })
})

test('a trial is a check and one task, and says how it went', async () => {
  expect((await play(succeeded('done'), { answer: 'trial' })).told).toEqual(['worked as trial'])
  expect((await play(unreachable, { answer: 'trial' })).told).toEqual([
    'AGENT_UNREACHABLE as trial of version 1',
  ])
  const checked = await play(succeeded('done'), { answer: 'trial', found: { ok: false, reason: 'gone' } })
  expect(checked).toMatchObject({ calls: 0, told: ['AGENT_UNREACHABLE as trial of version 1'] })
})

test('the fallback answer takes the place of the agent’s where its recovery says so, and is marked', async () => {
  const settings = { recovery: { connection: ['fail_over', 'degrade'] }, fallbackAnswer: { text: 'Later.' } }
  expect((await play(unreachable, { settings })).result).toEqual(unreachable)
  expect((await play(unreachable, { settings, attempt: 2 })).result).toEqual({
    type: 'succeeded',
    output: { text: 'Later.' },
    recovery: { kind: 'connection', action: 'degrade', code: 'AGENT_UNREACHABLE' },
  })
})

test('what only a person can mend is escalated, once for many tasks, and not tried again', async () => {
  const missing = failed('CREDENTIAL_NOT_FOUND', 'There is no such credential.')
  const { result } = await play(missing)
  await play(missing)
  expect(result).toMatchObject({ type: 'failed', recovery: { kind: 'credential', action: 'escalate' } })
  expect(await escalations()).toEqual([{ title: 'Agent "press" cannot work: CREDENTIAL_NOT_FOUND' }])
})

test('an attempt whose time is over is recovered as its agent says: degraded, or escalated, else as the engine has it', async () => {
  const { agent } = await registerAgent({ database: world.database }, actor, {
    document:
      'metadata: { name: slow, type: test.press, version: 1.0.0 }\nexecutor: { type: http, url: "https://press.example.com" }\n',
  })
  const subgraph = bindSubgraph(agents, { ...world, tail, log, kms: createKms(world) }, log)
  const set = async (actions: string[], more = {}) => {
    const { errors } = await subgraph.execute({
      query:
        'mutation ($input: SetReliabilityInput!) { setReliability(input: $input) { reliability { fallbackAnswer } } }',
      variables: { input: { agentId: agent.id, recovery: [{ kind: 'TIMEOUT', actions }], ...more } },
      actor,
    })
    expect(errors).toBeUndefined()
  }
  const recover = recoverOverdue({ database: world.database, tail, log })
  const overdue = failed('STEP_TIMED_OUT', 'No result within 1000 ms.', { retryable: true })
  if (overdue.type !== 'failed') return expect.unreachable()
  const after = (attempt: number) => recover({ ...taskOf(attempt), agentId: agent.id }, overdue)
  expect(await after(1)).toBe(overdue)
  await set(['RESTART', 'DEGRADE'], { fallbackAnswer: { text: 'Later.' } })
  expect(await after(1)).toBe(overdue)
  const own = { kind: 'timeout', code: 'STEP_TIMED_OUT' }
  expect(await after(2)).toEqual({
    type: 'succeeded',
    output: { text: 'Later.' },
    recovery: { ...own, action: 'degrade' },
  })
  await set(['ESCALATE'])
  expect(await after(1)).toMatchObject({
    type: 'failed',
    error: { code: 'STEP_TIMED_OUT', retryable: false },
    recovery: { ...own, action: 'escalate' },
  })
  expect((await escalations()).map(({ title }) => title)).toContain(
    'Agent "slow" cannot work: STEP_TIMED_OUT',
  )
})
