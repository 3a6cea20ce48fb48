import { setTimeout as pause } from 'node:timers/promises'
import { TaskState } from '@a2a-js/sdk'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Organization } from '../world/organization.ts'
import { startWorld, type World } from '../world/start-world.ts'
import { a2aAgentDocument, type A2aWork, type OutsideA2aAgent, part, startA2aAgent } from './a2a-server.ts'
import { bindAgent, runOne, startOne, untilRun } from './outside-runs.ts'

const { TASK_STATE_WORKING: WORKING, TASK_STATE_COMPLETED: COMPLETED } = TaskState

const cleanup = new AsyncDisposableStack()
let world: World
let org: Organization
/** One that streams, and one that has to be asked. */
let agents: Record<'streaming' | 'polled', OutsideA2aAgent>
/** Told when the slow work begins, and when it was told to stop. */
const slow = { begun: Promise.withResolvers<void>(), stopped: Promise.withResolvers<void>() }

/** By the text that it is sent; other messages are answered with what they hold. */
const WORK: Record<string, (work: A2aWork) => Promise<void> | void> = {
  reply: ({ reply }) => reply(part('Hello!')),
  text({ status, artifact }) {
    status(WORKING, 'Reading.')
    artifact('answer', [part('One ')])
    artifact('answer', [part('text.')], true)
    status(COMPLETED)
  },
  data({ status, artifact }) {
    artifact('answer', [part({ label: 'billing', score: 0.5 })])
    status(COMPLETED)
  },
  mixed({ status, artifact }) {
    artifact('words', [part('See:')])
    artifact('values', [part({ a: 1 }), part({ b: 2 })])
    status(COMPLETED)
  },
  words: ({ status }) => status(COMPLETED, 'That is all.'),
  failed: ({ status }) => status(TaskState.TASK_STATE_FAILED, 'No such customer.'),
  rejected: ({ status }) => status(TaskState.TASK_STATE_REJECTED),
  canceled: ({ status }) => status(TaskState.TASK_STATE_CANCELED),
  asks: ({ status }) => status(TaskState.TASK_STATE_INPUT_REQUIRED, 'Which year?'),
  permission: ({ status }) => status(TaskState.TASK_STATE_AUTH_REQUIRED),
  flood({ status, artifact }) {
    artifact('answer', [part('x'.repeat(5 * 1024 * 1024))])
    status(COMPLETED)
  },
  async late({ status, artifact }) {
    status(WORKING, 'Half done.')
    await pause(1_500)
    artifact('answer', [part('late')])
    status(COMPLETED)
  },
  async slow({ status, signal }) {
    status(WORKING)
    slow.begun.resolve()
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    slow.stopped.resolve()
  },
}

async function work(given: A2aWork): Promise<void> {
  const content = given.message.parts[0]?.content
  const does = content?.$case === 'text' ? WORK[content.value] : undefined
  if (does) await does(given)
  else given.reply(part({ got: content?.value ?? null }))
}

beforeAll(async () => {
  agents = {
    streaming: cleanup.use(await startA2aAgent(work)),
    polled: cleanup.use(await startA2aAgent(work, { streaming: false })),
  }
  world = cleanup.use(await startWorld({ workers: true }))
  org = await world.organization()
})
afterAll(() => cleanup.disposeAsync())

let count = 0
async function bind(url: string, more = '', step: object = {}): Promise<string> {
  const name = `a2a-${(count += 1)}`
  return (await bindAgent(org, name, a2aAgentDocument(name, url, more), step)).workflowId
}

describe.each(['streaming', 'polled'] as const)('an A2A agent, %s,', (kind) => {
  it.each([
    ['a message', 'reply', 'Hello!'],
    ['an artifact that came in pieces', 'text', 'One text.'],
    ['a value', 'data', { label: 'billing', score: 0.5 }],
    ['texts and values', 'mixed', ['See:', { a: 1 }, { b: 2 }]],
    ['the words of its last state', 'words', 'That is all.'],
    ['something that takes a while', 'late', 'late'],
  ])('puts out %s', async (_, text, result) => {
    const run = await runOne(org, await bind(agents[kind].url), text)
    expect(run).toMatchObject({ status: 'COMPLETED', state: { result } })
  })

  it.each([
    ['fails', 'failed', 'AGENT_TASK_FAILED'],
    ['would not', 'rejected', 'AGENT_TASK_REJECTED'],
    ['was stopped on its side', 'canceled', 'AGENT_TASK_CANCELED'],
    ['asks back', 'asks', 'AGENT_INPUT_REQUIRED'],
    ['asks for a permission', 'permission', 'AGENT_AUTH_REQUIRED'],
    ['answers 5 MB', 'flood', 'AGENT_ANSWER_TOO_LARGE'],
  ])('that %s fails the step for good', async (_, text, code) => {
    const workflowId = await bind(agents[kind].url, '', { retry_attempts: 2, retry_delay_seconds: 0.01 })
    expect(await runOne(org, workflowId, text)).toMatchObject({
      status: 'FAILED',
      tasks: [{ attempt: 1, error: { code } }],
    })
  })
})

it('gets one text as text, anything else as data, under the run and the idempotency key', async () => {
  const { messages, url } = agents.streaming
  const before = messages.length
  const workflowId = await bind(url)
  const id = await startOne(org, workflowId, { a: [1] })
  const run = await untilRun(org, id, ({ status }) => status === 'COMPLETED')
  expect(run.state).toMatchObject({ result: { got: { text: { a: [1] } } } })
  const [message] = messages.slice(before)
  expect(message).toMatchObject({ contextId: id, messageId: expect.stringMatching(/./) })
  const picked = await runOne(org, await bind(url, ', message: text.a.0'), { a: ['reply'] })
  expect(picked.state).toMatchObject({ result: 'Hello!' })
  const missing = await runOne(org, await bind(url, ', message: text.b'), { a: [] })
  expect(missing.tasks).toMatchObject([{ error: { code: 'AGENT_INPUT_MISSING' } }])
})

it('is called with its credential, which goes nowhere else', async () => {
  await org
    .as('admin')
    .query('mutation($input: SetCredentialInput!) { setCredential(input: $input) { credential { id } } }', {
      input: { name: 'a2a', value: 'very-secret-value' },
    })
  const { requests, url } = agents.streaming
  const before = requests.length
  const workflowId = await bind(url, ', authorization: { credential: a2a }')
  expect(await runOne(org, workflowId, 'reply')).toMatchObject({ status: 'COMPLETED' })
  expect(requests.slice(before).map(({ headers }) => headers.get('authorization'))).toEqual([
    'Bearer very-secret-value',
  ])
})

it('tells what it is at, and its task is known', async () => {
  const id = await startOne(org, await bind(agents.streaming.url), 'late')
  await untilRun(org, id, ({ status }) => status === 'COMPLETED')
  const { run } = await org
    .as('viewer')
    .query<{ run: { tasks: { progress: object }[] } }>(
      'query($id: ID!) { run(id: $id) { tasks { progress { message data } } } }',
      { id },
    )
  expect(run.tasks[0]?.progress).toMatchObject({ data: { a2aTaskId: expect.stringMatching(/./) } })
})

it('is told to stop when the step’s time is up', async () => {
  const id = await startOne(org, await bind(agents.polled.url, '', { timeout: '1s' }), 'slow')
  await slow.begun.promise
  await slow.stopped.promise
  const run = await untilRun(org, id, ({ status }) => status === 'FAILED')
  expect(run.tasks).toMatchObject([{ error: { code: 'STEP_TIMED_OUT' } }])
  expect(agents.polled.cancelled).toHaveLength(1)
})

it('that is down is tried again', async () => {
  const gone = await startA2aAgent(work)
  await gone[Symbol.asyncDispose]()
  const workflowId = await bind(gone.url, '', { retry_attempts: 1, retry_delay_seconds: 0.01 })
  expect(await runOne(org, workflowId)).toMatchObject({
    status: 'FAILED',
    tasks: [{ attempt: 2, error: { code: 'AGENT_UNREACHABLE' } }],
  })
})

it('whose connection breaks while it works is gone on with by the next attempt, not begun again', async () => {
  let begun = 0
  const agent: OutsideA2aAgent = await startA2aAgent(
    async ({ status, artifact }) => {
      begun += 1
      status(WORKING)
      await pause(300)
      agent.break()
      await pause(300)
      artifact('answer', [part('once')])
      status(COMPLETED)
    },
    { streaming: false },
  )
  await using _open = agent
  const workflowId = await bind(agent.url, '', { retry_attempts: 3, retry_delay_seconds: 1 })
  expect(await runOne(org, workflowId)).toMatchObject({ status: 'COMPLETED', state: { result: 'once' } })
  expect(begun).toBe(1)
})
