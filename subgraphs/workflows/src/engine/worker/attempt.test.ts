import { setTimeout as pause } from 'node:timers/promises'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { beatFromOutside, reportProgress } from '../../tasks/progress/report-progress.ts'
import { type Engine, openEngine } from '../../testing/open-engine.ts'
import type { RecoverOverdue } from './attempt.ts'
import type { ClaimedTask } from './claimed-task.ts'
import type { TaskOutcome } from './outcome.ts'

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
afterAll(() => engine[Symbol.asyncDispose]())

const done = (output: unknown): TaskOutcome => ({ type: 'succeeded', output })
/** Until it is told to stop; answers with the reason. */
const untilTold = (signal: AbortSignal): Promise<string> =>
  new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve(String(signal.reason.message)), { once: true }),
  )
const ended = (actor: Actor, id: string) =>
  engine.event(actor, /^run\.(completed|failed)$/, ({ subject }) => subject === `run/${id}`)

const STEP = (more: string) => `
name: long
steps:
  - {name: work, agent: ada, output: result, heartbeat_timeout: 300ms, retry: {${more}}}
`

test('an attempt of which nothing is heard is told to stop, and tried again as its step has it', async () => {
  const actor = await engine.organization('ada')
  const reasons: string[] = []
  await using _worker = engine.work(actor, async (task, signal) => {
    if (task.attempt > 2) return done('at last')
    reasons.push(await untilTold(signal))
    return done('too late')
  })
  const id = await engine.start(actor, STEP('attempts: 3, delay: 0s'))
  const retrying = await engine.event(actor, /^task\.retrying$/)
  expect(retrying.data).toMatchObject({ attempt: 1, error: { code: 'HEARTBEAT_TIMEOUT' } })
  expect(await ended(actor, id)).toMatchObject({
    type: 'run.completed',
  })
  expect(reasons).toEqual(['HEARTBEAT_TIMEOUT', 'HEARTBEAT_TIMEOUT'])
  expect(await engine.rows(actor, 'select attempt, output from task where organization_id = $1')).toEqual([
    { attempt: 3, output: 'at last' },
  ])
})

test('a run of which nothing is heard fails when its step may not be tried again', async () => {
  const actor = await engine.organization('ada')
  await using _worker = engine.work(actor, async (_, signal) => done(await untilTold(signal)))
  const id = await engine.start(actor, STEP('attempts: 5, never: [HEARTBEAT_TIMEOUT]'))
  expect(await ended(actor, id)).toMatchObject({ data: { error: { code: 'HEARTBEAT_TIMEOUT' } } })
  expect(await engine.rows(actor, 'select attempt from task where organization_id = $1')).toEqual([
    { attempt: 1 },
  ])
})

const SIGNS: [string, (actor: Actor, task: ClaimedTask, beat?: () => void) => unknown][] = [
  ['its executor beats', (_actor, _task, beat) => beat?.()],
  ['a report is kept', (actor, task) => reportProgress(engine.world.database, actor, task, { percent: 1 })],
  ['an agent outside beats', (actor, task) => beatFromOutside(engine.world.database, actor, task)],
]

test.each(SIGNS)('an attempt goes on for as long as %s', async (_, sign) => {
  const actor = await engine.organization('ada')
  await using _worker = engine.work(actor, async (task, signal, beat) => {
    for (let n = 0; n < 20 && !signal.aborted; n++) {
      await sign(actor, task, beat)
      await pause(100)
    }
    return done(signal.aborted ? 'told' : 'worked')
  })
  const document = STEP('attempts: 1').replace('300ms', '1s')
  expect(await ended(actor, await engine.start(actor, document))).toMatchObject({ type: 'run.completed' })
})

test('steps that declare none, and those who undo one, may be as silent as they like', async () => {
  const actor = await engine.organization('ada', 'eve')
  await using _worker = engine.work(actor, async ({ nodeId, stepPath }, signal) => {
    if (nodeId === 'fails') return { type: 'failed', error: { code: 'NO', message: '', retryable: false } }
    if (nodeId === 'silent' || stepPath !== nodeId) await pause(600)
    return done(signal.aborted)
  })
  const id = await engine.start(
    actor,
    `
name: undone
steps:
  - {name: work, agent: ada, heartbeat_timeout: 100ms, retry: {attempts: 1}, compensate: eve}
  - {name: silent, agent: ada, retry: {attempts: 1}}
  - {name: fails, agent: ada}
`,
  )
  expect(await ended(actor, id)).toMatchObject({ type: 'run.failed', data: { error: { code: 'NO' } } })
  expect(
    await engine.rows(
      actor,
      `select step_path as step, status, output from task where organization_id = $1 order by created_at`,
    ),
  ).toMatchObject([
    { step: 'work', status: 'completed', output: false },
    { step: 'silent', status: 'completed', output: false },
    { step: 'fails', status: 'failed' },
    { step: 'work~undo', status: 'completed', output: false },
  ])
})

test('what is to be done about an attempt whose time is over is asked, and an answer of another kind takes its place', async () => {
  const actor = await engine.organization('ada')
  const asked: string[] = []
  const recover: RecoverOverdue = async ({ nodeId, attempt }, failure) => {
    asked.push(`${nodeId} ${attempt} ${failure.error.code}`)
    if (nodeId === 'fails') throw new Error('no recovery')
    const own = { kind: 'timeout' as const, code: failure.error.code }
    if (nodeId === 'told') {
      const error = { ...failure.error, retryable: false }
      return { type: 'failed', error, recovery: { ...own, action: 'escalate' } }
    }
    if (attempt === 1) return failure
    return { type: 'succeeded', output: 'later', recovery: { ...own, action: 'degrade' } }
  }
  await using _worker = engine.work(actor, async (_, signal) => done(await untilTold(signal)), 16, recover)
  const run = async (name: string, limit: string) => {
    const id = await engine.start(
      actor,
      `
name: ${name} overdue
steps:
  - {name: ${name}, agent: ada, output: result, ${limit}, retry: {attempts: 2, delay: 0s}}
`,
    )
    const { type } = await ended(actor, id)
    const [task] = await engine.rows(
      actor,
      `select attempt, output, error->>'code' as code, recovery->-1->>'action' as action from task
       where organization_id = $1 and run_id = $2`,
      [id],
    )
    return { type, ...task }
  }
  const degraded = { type: 'run.completed', attempt: 2, output: 'later', action: 'degrade' }
  expect(await run('slow', 'timeout: 100ms')).toMatchObject(degraded)
  expect(await run('silent', 'heartbeat_timeout: 200ms')).toMatchObject(degraded)
  const failed = { type: 'run.failed', code: 'STEP_TIMED_OUT' }
  expect(await run('told', 'timeout: 100ms')).toMatchObject({ ...failed, attempt: 1, action: 'escalate' })
  expect(await run('fails', 'timeout: 100ms')).toMatchObject({ ...failed, attempt: 2 })
  expect(asked).toEqual([
    'slow 1 STEP_TIMED_OUT',
    'slow 2 STEP_TIMED_OUT',
    'silent 1 HEARTBEAT_TIMEOUT',
    'silent 2 HEARTBEAT_TIMEOUT',
    'told 1 STEP_TIMED_OUT',
    'fails 1 STEP_TIMED_OUT',
    'fails 2 STEP_TIMED_OUT',
  ])
})
