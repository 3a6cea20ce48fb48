import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Answer } from '../world/caller.ts'
import { codesOf } from '../world/caller.ts'
import {
  type AgentCall,
  type AgentReply,
  type HttpAgent,
  httpAgentDocument,
  startHttpAgent,
} from './http-agent.ts'
import { applyWorkflow, readRun, registerAgent, startRuns } from './operations.ts'
import { type Platform, startPlatform } from './platform.ts'

const cleanup = new AsyncDisposableStack()
let platform: Platform
let agent: HttpAgent
/** By the run's `case`: what the agent answers to each call of it. */
const answers = new Map<string, (call: AgentCall) => AgentReply>()

beforeAll(async () => {
  agent = cleanup.use(
    await startHttpAgent((call) => answers.get(String(call.json.input['case']))?.(call) ?? {}),
  )
  platform = cleanup.use(
    await startPlatform('distributed', { environment: { TUTTI_ALLOW_LOCAL_AGENTS: 'true' } }),
  )
  await registerAgent(platform.as('operator'), httpAgentDocument('elsewhere', agent.url))
})
afterAll(() => cleanup.disposeAsync())

const PATIENCE = { timeout: 20_000, interval: 50 }

/** Starts a run of one step; answers with its id. */
async function start(name: string, step: object = {}): Promise<string> {
  const operator = platform.as('operator')
  const steps = [{ name: 'work', agent: 'elsewhere', input: ['case'], output: 'result', ...step }]
  const workflowId = await applyWorkflow(operator, { format: 'tutti/1', name, inputs: ['case'], steps })
  const [id = ''] = await startRuns(operator, workflowId, [{ case: name }])
  return id
}

const ended = (id: string) =>
  expect.poll(async () => (await readRun(platform.as('viewer'), id)).status, PATIENCE).toBe('COMPLETED')

const PROGRESS = `subscription($after: String, $filter: TaskEventFilter) {
  taskEvents(after: $after, filter: $filter) { cursor type attempt actor { kind } progress { percent message data } }
}`

interface ProgressEvent {
  attempt: number
  actor: { kind: string }
  progress: { percent: number | null; message: string | null; data: unknown }
}

/** The reports that a run's feed tells, as they come. */
async function* reportsOf(runId: string): AsyncGenerator<ProgressEvent> {
  const feed = platform.as('viewer').subscribe(PROGRESS, {
    after: '0'.repeat(13),
    filter: { runId, types: ['task.progress'] },
  })
  for await (const delivery of feed) {
    expect(delivery.errors).toBeUndefined()
    yield delivery.data?.['taskEvents'] as ProgressEvent
  }
}

async function nextReport(runId: string): Promise<ProgressEvent> {
  for await (const event of reportsOf(runId)) return event
  throw new Error('The feed ended.')
}

interface TaskSeen {
  progress: { percent: number | null; message: string | null; data: unknown } | null
  logs: { nodes: { level: string; message: string; data: unknown; attempt: number }[] }
}

async function taskOf(runId: string): Promise<TaskSeen> {
  const { run } = await platform.as('viewer').query<{ run: { tasks: TaskSeen[] } }>(
    `query($id: ID!) { run(id: $id) { tasks {
      progress { percent message data } logs(first: 100) { nodes { level message data attempt } } } } }`,
    { id: runId },
  )
  const [task] = run.tasks
  if (!task) throw new Error('The run has no task.')
  return task
}

const callOf = async (name: string, attempt = 1): Promise<AgentCall> => {
  const find = () => agent.calls.find(({ json }) => json.input['case'] === name && json.attempt === attempt)
  await expect.poll(find, PATIENCE).toBeDefined()
  return find() ?? expect.unreachable()
}

type Report = { token: string; percent?: number; message?: string; data?: unknown }

const report = (input: Report, role: 'agent' | 'viewer' = 'agent'): Promise<Answer> =>
  platform
    .as(role)
    .send(
      `mutation($input: ReportProgressInput!) { reportProgress(input: $input) { task { progress { percent data } } } }`,
      { input },
    )
const append = (token: string, lines: object[]): Promise<Answer> =>
  platform
    .as('agent')
    .send(`mutation($input: AppendTaskLogInput!) { appendTaskLog(input: $input) { task { id } } }`, {
      input: { token, lines },
    })

describe('an agent that streams', () => {
  it('is followed live while it works, and its log lines are kept', async () => {
    const seen = Promise.withResolvers<void>()
    answers.set('streams', () => ({
      output: 'done',
      says: (async function* () {
        yield { progress: { percent: 10, message: 'Reading', data: { page: 1 } } }
        yield { log: { level: 'warn', message: 'Page 2 is empty', data: { page: 2 } } }
        await seen.promise
        yield { progress: { percent: 101 } }
        yield { progress: { percent: 90 } }
      })(),
    }))
    const id = await start('streams')
    const live = { attempt: 1, actor: { kind: 'agent' } }
    const first = await nextReport(id)
    expect(first).toMatchObject({ ...live, progress: { percent: 10, message: 'Reading', data: { page: 1 } } })
    expect((await readRun(platform.as('viewer'), id)).status).toBe('RUNNING')
    seen.resolve()
    await ended(id)
    expect((await taskOf(id)).progress).toMatchObject({ percent: 90, message: null, data: null })
    await expect
      .poll(async () => (await taskOf(id)).logs.nodes, PATIENCE)
      .toMatchObject([{ level: 'WARN', message: 'Page 2 is empty', data: { page: 2 }, attempt: 1 }])
  })
})

describe('an agent that reports by mutation', () => {
  it('is followed live, until its attempt is over; its lines are taken even then', async () => {
    const over = Promise.withResolvers<void>()
    answers.set('reports', () => ({ output: 'done', after: over.promise }))
    const id = await start('reports')
    const token = (await callOf('reports')).json.reportToken
    const { body } = await report({ token, percent: 25, data: { rows: 100 } })
    expect(body).toEqual({
      data: { reportProgress: { task: { progress: { percent: 25, data: { rows: 100 } } } } },
    })
    expect(await nextReport(id)).toMatchObject({ progress: { percent: 25, data: { rows: 100 } } })
    over.resolve()
    await ended(id)
    expect(codesOf(await report({ token, percent: 100 }))).toEqual(['STALE_LEASE'])
    expect((await taskOf(id)).progress).toMatchObject({ percent: 25 })
    const lines = [
      { level: 'INFO', message: 'first' },
      { level: 'ERROR', message: 'second', data: [1] },
    ]
    expect(codesOf(await append(token, lines))).toEqual([])
    expect((await taskOf(id)).logs.nodes).toEqual(lines.map((line) => ({ data: null, attempt: 1, ...line })))
  })

  it('is told all that is wrong with what it says', async () => {
    const over = Promise.withResolvers<void>()
    answers.set('wrong', () => ({ after: over.promise }))
    const id = await start('wrong')
    const token = (await callOf('wrong')).json.reportToken
    const [said, mac = ''] = token.split('.')
    const error = ({ body }: Answer) => body.errors?.[0]?.extensions
    for (const forged of [
      '',
      'x',
      `${said}.`,
      `${said}.${mac.toUpperCase()}`,
      `x${token}`,
      `${token}.${mac}`,
    ])
      expect(error(await report({ token: forged })), forged).toMatchObject({
        code: 'BAD_INPUT',
        argument: 'input.token',
      })
    expect(error(await report({ token, percent: -1, message: 'x'.repeat(1_001) }))).toMatchObject({
      code: 'BAD_INPUT',
      problems: [{ path: 'input.percent' }, { path: 'input.message' }],
    })
    const long = { level: 'INFO', message: 'x'.repeat(20_000) }
    expect(error(await append(token, [{ level: 'INFO', message: 'ok' }, long]))).toMatchObject({
      code: 'BAD_INPUT',
      problems: [{ path: 'input.lines[1].message', code: 'TOO_LARGE' }],
    })
    expect(codesOf(await report({ token, percent: 1 }, 'viewer'))).toEqual(['FORBIDDEN'])
    expect(await taskOf(id)).toEqual({ progress: null, logs: { nodes: [] } })
    over.resolve()
    await ended(id)
  })
})

describe('another attempt', () => {
  it('gets what was last reported, and the one before it reports no more', async () => {
    const told = Promise.withResolvers<void>()
    const second = Promise.withResolvers<void>()
    answers.set('again', ({ json }) =>
      json.attempt === 1
        ? {
            says: (async function* () {
              yield { progress: { percent: 50, data: { done: ['a', 'b'] } } }
              await told.promise
              throw new Error('The connection breaks.')
            })(),
          }
        : { output: json.progress, after: second.promise },
    )
    const id = await start('again', { retry: { attempts: 2, delay: '100ms' } })
    expect(await nextReport(id)).toMatchObject({ progress: { percent: 50 } })
    told.resolve()
    const { json: later } = await callOf('again', 2)
    expect(later.progress).toEqual({ percent: 50, message: null, data: { done: ['a', 'b'] } })
    const first = (await callOf('again', 1)).json
    expect(first.progress).toBeUndefined()
    expect(codesOf(await report({ token: first.reportToken, percent: 60 }))).toEqual(['STALE_LEASE'])
    expect(codesOf(await report({ token: later.reportToken, percent: 70 }))).toEqual([])
    expect((await taskOf(id)).progress).toMatchObject({ percent: 70 })
    second.resolve()
    await ended(id)
    expect(await readRun(platform.as('viewer'), id)).toMatchObject({
      state: { result: { percent: 50, data: { done: ['a', 'b'] } } },
    })
  })
})

describe('a step with a heartbeat_timeout', () => {
  const beat = (token: string): Promise<Answer> =>
    platform
      .as('agent')
      .send(
        `mutation($input: RecordHeartbeatInput!) { recordHeartbeat(input: $input) { task { status } } }`,
        {
          input: { token },
        },
      )

  it('is taken from an agent that says no more, and goes on from its last report', async () => {
    const never = Promise.withResolvers<void>()
    answers.set('silent', ({ json }) =>
      json.attempt === 1
        ? {
            says: (async function* () {
              yield { progress: { percent: 30, data: { page: 3 } } }
              await never.promise
            })(),
          }
        : { output: json.progress },
    )
    const retry = { attempts: 2, delay: '0s' }
    const id = await start('silent', { heartbeat_timeout: '1s', retry })
    await ended(id)
    expect(await readRun(platform.as('viewer'), id)).toMatchObject({
      tasks: [{ attempt: 2 }],
      state: { result: { percent: 30, data: { page: 3 } } },
    })
    expect(
      await platform.sql(
        `select data->'error'->>'code' as code from log.event where run_id = $1 and type = 'task.retrying'`,
        [id],
      ),
    ).toEqual([{ code: 'HEARTBEAT_TIMEOUT' }])
    const { reportToken } = (await callOf('silent')).json
    expect(codesOf(await beat(reportToken))).toEqual(['STALE_LEASE'])
    never.resolve()
  })

  it('waits for an agent that gives signs of life by mutation', async () => {
    const over = Promise.withResolvers<void>()
    answers.set('beats', () => ({ output: 'done', after: over.promise }))
    const id = await start('beats', { heartbeat_timeout: '3s', retry: { attempts: 1 } })
    const { reportToken } = (await callOf('beats')).json
    for (let n = 0; n < 16; n++) {
      expect(codesOf(await beat(reportToken))).toEqual([])
      await pause(250)
    }
    over.resolve()
    await ended(id)
    expect((await taskOf(id)).progress).toBeNull()
  })
})

describe('items of a map', () => {
  it('report and log although their beginning is not written at once', async () => {
    const over = Promise.withResolvers<void>()
    const body = { name: 'each', agent: 'elsewhere', input: ['item', 'case'], output: 'did' }
    answers.set('items', () => ({
      after: over.promise,
      output: 1,
    }))
    const operator = platform.as('operator')
    const workflowId = await applyWorkflow(operator, {
      format: 'tutti/1',
      name: 'items',
      inputs: ['pages', 'case'],
      steps: [{ name: 'all', over: 'pages', steps: [body], output: 'results' }],
    })
    const [id = ''] = await startRuns(operator, workflowId, [{ pages: [1, 2, 3], case: 'items' }])
    const calls = () => agent.calls.filter(({ json }) => json.input['case'] === 'items')
    await expect.poll(() => calls().length, PATIENCE).toBe(3)
    for (const { json } of calls()) {
      const [{ body: said }, logged] = [
        await report({ token: json.reportToken, percent: 30 }),
        await append(json.reportToken, [{ level: 'INFO', message: `item ${String(json.input['item'])}` }]),
      ]
      expect([said.errors, logged.body.errors]).toEqual([undefined, undefined])
    }
    over.resolve()
    await ended(id)
    expect(
      await platform.sql('select message from task_log where run_id = $1 order by message', [id]),
    ).toEqual([1, 2, 3].map((item) => ({ message: `item ${item}` })))
  })
})
