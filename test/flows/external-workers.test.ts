import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { startWorker, TaskFailure, type WorkerOptions } from '@tutti/worker'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { applyWorkflow, readRun, registerAgent, startRuns } from './operations.ts'
import { type Platform, startPlatform } from './platform.ts'

const HAS_PYTHON = spawnSync('python3', ['--version']).status === 0
const SCRIPT = join(import.meta.dirname, '../../examples/external-worker/worker.py')

const cleanup = new AsyncDisposableStack()
let platform: Platform
let workflowId = ''
/** The agent's own key. */
let key = ''

beforeAll(async () => {
  platform = cleanup.use(await startPlatform())
  const operator = platform.as('operator')
  await registerAgent(
    operator,
    'metadata: { name: counter, type: service.counting, version: 1.0.0 }\nexecutor: { type: external }\n',
  )
  workflowId = await applyWorkflow(operator, {
    format: 'tutti/1',
    name: 'counting',
    inputs: ['text', 'seconds'],
    steps: [
      {
        name: 'count',
        agent: 'counter',
        input: ['text', 'seconds'],
        output: 'counted',
        retry: { attempts: 2, delay: '0s' },
      },
    ],
  })
  const { createApiKey } = await platform
    .as('admin')
    .query<{ createApiKey: { secret: string } }>(
      'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }',
      { input: { principalName: 'counter', kind: 'agent', roles: ['agent'] } },
    )
  key = createApiKey.secret
})
afterAll(() => cleanup.disposeAsync())

const options = (handle: WorkerOptions['handle']): WorkerOptions => ({
  url: `${platform.url}/graphql`,
  key,
  concurrency: 4,
  leaseSeconds: 5,
  handle,
})

const count =
  (by: string): WorkerOptions['handle'] =>
  async ({ input }) => {
    const text = String(input['text'])
    return { words: text.split(' ').length, text, by }
  }

const start = (inputs: readonly { text: string; seconds?: number }[]) =>
  startRuns(platform.as('operator'), workflowId, inputs)

async function ended(id: string) {
  await expect
    .poll(async () => (await readRun(platform.as('viewer'), id)).status, { timeout: 25_000, interval: 100 })
    .toMatch(/COMPLETED|FAILED/)
  return readRun(platform.as('viewer'), id)
}

/** Python's worker, once it says that it is ready; killed at the end of the scope. */
async function python(): Promise<{ child: ChildProcess; said: () => string } & AsyncDisposable> {
  const environment = { TUTTI_URL: `${platform.url}/graphql`, TUTTI_API_KEY: key, LEASE_SECONDS: '5' }
  const child = spawn('python3', [SCRIPT], {
    env: { ...process.env, ...environment, POLL_SECONDS: '0.1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (part: Buffer) => (text += part.toString()))
  await expect.poll(() => text, { timeout: 20_000 }).toContain('ready')
  return {
    child,
    said: () => text,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exit = once(child, 'exit')
      child.kill('SIGKILL')
      await exit
    },
  }
}

describe('the TypeScript worker', () => {
  test('does the tasks of its agent as they come, reports, and says what they cost', async () => {
    const attempts: number[] = []
    const counted = count('typescript')
    await using _worker = startWorker(
      options(async (task, tools) => {
        tools.report({ percent: 50, data: { at: task.step } })
        tools.log('info', 'Counting')
        tools.cost(0.5)
        attempts.push(task.attempt)
        return counted(task, tools)
      }),
    )
    const ids = await start(Array.from({ length: 12 }, (_, n) => ({ text: `a b ${n}` })))
    for (const [n, id] of ids.entries())
      expect(await ended(id)).toMatchObject({
        status: 'COMPLETED',
        state: { counted: { words: 3, text: `a b ${n}`, by: 'typescript' } },
      })
    expect(attempts).toEqual(ids.map(() => 1))
    const { run } = await platform
      .as('viewer')
      .query<{ run: object }>(
        'query($id: ID!) { run(id: $id) { tasks { costUsd progress { percent data } logs { nodes { message } } } } }',
        { id: ids[0] },
      )
    expect(run).toEqual({
      tasks: [
        {
          costUsd: 0.5,
          progress: { percent: 50, data: { at: 'count' } },
          logs: { nodes: [{ message: 'Counting' }] },
        },
      ],
    })
  })

  test('says how a task failed, which is tried again as its step has it', async () => {
    const attempts: number[] = []
    await using _worker = startWorker(
      options(async (task) => {
        attempts.push(task.attempt)
        throw new TaskFailure('NO_WORDS', 'There are none.', { retryable: true })
      }),
    )
    const [id = ''] = await start([{ text: 'x' }])
    expect(await ended(id)).toMatchObject({ status: 'FAILED', error: { code: 'NO_WORDS' } })
    expect(attempts).toEqual([1, 2])
  })

  test('gives back what it has when it must end, and is told to stop what was cancelled', async () => {
    const begun = Promise.withResolvers<void>()
    const first = startWorker(
      options(async () => {
        begun.resolve()
        return new Promise(() => undefined)
      }),
    )
    const [id = ''] = await start([{ text: 'a b' }])
    await begun.promise
    await first.stop(0)
    const told = Promise.withResolvers<string>()
    const second = startWorker(
      options(async (_, { signal }) => {
        platform
          .as('operator')
          .query('mutation($id: ID!) { cancelRun(input: { id: $id }) { run { status } } }', { id })
          .catch(told.reject)
        signal.addEventListener('abort', () => told.resolve('aborted'), { once: true })
        return told.promise
      }),
    )
    expect(await told.promise).toBe('aborted')
    await second.stop()
  })
})

describe.skipIf(!HAS_PYTHON)('Python’s worker, of its standard library alone', () => {
  test('does tasks of the same agent', async () => {
    await using _worker = await python()
    const ids = await start([{ text: 'one two' }, { text: 'three' }])
    for (const [index, id] of ids.entries())
      expect(await ended(id)).toMatchObject({
        status: 'COMPLETED',
        state: { counted: { words: 2 - index, by: 'python' } },
      })
  })

  test('that is killed in the middle has its task done by the other, once; its late answer is refused', async () => {
    await using worker = await python()
    const [slow = ''] = await start([{ text: 'slow one', seconds: 600 }])
    await expect.poll(worker.said, { timeout: 20_000 }).toContain('claimed')
    worker.child.kill('SIGKILL')
    await once(worker.child, 'exit')
    const [task] = await platform.sql<{ id: string; run_id: string }>(
      `select t.id, t.run_id from task t where t.run_id = $1`,
      [slow],
    )
    const claimed: string[] = []
    const counted = count('typescript')
    await using _other = startWorker({
      ...options(async (given, tools) => {
        claimed.push(given.id)
        return counted(given, tools)
      }),
      pollMs: 500,
    })
    const others = await start(Array.from({ length: 5 }, (_, n) => ({ text: `other ${n}` })))
    for (const id of [slow, ...others])
      expect(await ended(id)).toMatchObject({ status: 'COMPLETED', state: { counted: { by: 'typescript' } } })
    expect(claimed.filter((id) => id === task?.id)).toHaveLength(1)
    const completed = await platform.sql<{ runs: string; events: string }>(
      `select count(distinct run_id) as runs, count(*) as events from log.event
       where type = 'task.completed' and run_id = any($1::uuid[])`,
      [[slow, ...others]],
    )
    expect(completed).toEqual([{ runs: '6', events: '6' }])
  })

  test('gives back what it has when it is asked to end', async () => {
    await using worker = await python()
    const [id = ''] = await start([{ text: 'given back', seconds: 600 }])
    await expect.poll(worker.said, { timeout: 20_000 }).toContain('claimed')
    const exit = once(worker.child, 'exit')
    worker.child.kill('SIGTERM')
    await exit
    await using _other = startWorker(options(count('typescript')))
    expect(await ended(id)).toMatchObject({ state: { counted: { by: 'typescript' } } })
  })
})

test('an answer that comes when the task is another’s is refused', async () => {
  const caller = platform.as('operator')
  const claim = async () => {
    const { claimTasks } = await caller.query<{ claimTasks: { tasks: { token: string }[] } }>(
      'mutation { claimTasks(input: { agent: "counter", leaseSeconds: 5 }) { tasks { token } } }',
    )
    return claimTasks.tasks[0]?.token
  }
  const [id = ''] = await start([{ text: 'late' }])
  let late: string | undefined
  await expect.poll(async () => (late = await claim()), { timeout: 20_000 }).toBeTypeOf('string')
  await platform.sql(`update board_item set lease_until = now() - interval '1 second' where run_id = $1`, [
    id,
  ])
  let own: string | undefined
  await expect.poll(async () => (own = await claim()), { timeout: 20_000 }).toBeTypeOf('string')
  const complete = async (token: string | undefined, output: string) => {
    const { body } = await caller.send(
      'mutation($input: CompleteTaskInput!) { completeTask(input: $input) { task { id } } }',
      { input: { token, output } },
    )
    return body.errors?.[0]?.extensions?.['code']
  }
  expect(await complete(late, 'late')).toBe('STALE_LEASE')
  expect(await complete(own, 'in time')).toBeUndefined()
  expect(await complete(late, 'late')).toBe('STALE_LEASE')
  expect(await ended(id)).toMatchObject({ state: { counted: 'in time' } })
})
