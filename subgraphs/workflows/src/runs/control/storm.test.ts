import { createLog } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { contain } from '../../containment/contain.ts'
import { liftContainment } from '../../containment/lift-containment.ts'
import { proveStops } from '../../containment/prove-stops.ts'
import { type Engine, openEngine } from '../../testing/open-engine.ts'
import { cancelTask } from '../../tasks/control/cancel-task.ts'
import { completeTaskByHand } from '../../tasks/control/complete-task-by-hand.ts'
import { retryTask } from '../../tasks/control/retry-task.ts'
import { skipTask } from '../../tasks/control/skip-task.ts'
import { applyWorkflow } from '../../workflows/apply-workflow.ts'
import { startRuns } from '../start-runs.ts'
import { controlRun } from './control-run.ts'

const log = createLog('test', 'silent')
let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
afterAll(() => engine[Symbol.asyncDispose]())

const CHILD = `
format: tutti/1
name: child
steps:
  - { name: a, agent: alpha, fallback_action: b }
  - { name: b, agent: alpha }
`
const MIXED = `
format: tutti/1
name: mixed
inputs: [letters]
steps:
  - { name: first, agent: alpha, output: one }
  - name: each
    type: map
    over: letters
    concurrency: 2
    on_failure: collect
    steps: [{ name: work, agent: alpha }, { name: check, agent: beta, output: checked }]
    output: results
  - name: both
    type: parallel
    join: any
    branches:
      left: [{ name: sub, type: workflow, workflow: child }]
      right: [{ name: rest, type: wait, for: 100ms }, { name: last, agent: beta }]
  - { name: close, agent: alpha }
`
const RUNS = 8
const OPERATORS = 3
const ACTS = 40

/** Numbers from 0 to below `n`, the same for a seed. */
function random(seed: number): (n: number) => number {
  let state = seed
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
}

/** Acts that are refused because of the state, or find nothing, are part of the storm. */
const REFUSED = new Set(['INVALID_STATE', 'NOT_FOUND'])
async function attempt(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && REFUSED.has(String(error.code)))) throw error
  })
}

async function storm(actor: Actor, runs: readonly string[], seed: number): Promise<void> {
  const pick = random(seed)
  const services = { database: engine.world.database, wake: () => undefined }
  const agents = await engine.rows<{ id: string }>(actor, 'select id from agent where organization_id = $1')
  const acts: (() => Promise<unknown>)[] = [
    ...(['pause', 'resume', 'retry', 'resume', 'pause'] as const).map(
      (action) => () => controlRun(services, actor, action, { id: runs[pick(runs.length)] ?? '' }),
    ),
    async () => {
      const tasks = await engine.rows<{ id: string }>(
        actor,
        `select id from task where organization_id = $1 and status in ('ready', 'running', 'waiting') order by id limit 50`,
      )
      const id = tasks[pick(tasks.length)]?.id ?? ''
      const by = [skipTask, cancelTask, retryTask][pick(4)]
      return by
        ? by(services, actor, { id })
        : completeTaskByHand(services, actor, { id, output: { by: 'hand' } })
    },
    async () => {
      const order = await contain(services, actor, {
        scope: 'agent',
        id: agents[pick(agents.length)]?.id ?? '',
        reason: 'storm',
      })
      await proveStops({ database: engine.world.database, log })
      await liftContainment(services, actor, order)
    },
  ]
  for (let act = 0; act < ACTS; act += 1) await attempt(acts[pick(acts.length)]?.() ?? Promise.resolve())
}

test('whatever operators do at once, every run ends, nothing is left over, and nothing is completed twice', async () => {
  const actor = await engine.organization('alpha', 'beta')
  const { database } = engine.world
  await applyWorkflow(engine.world, actor, CHILD)
  const { id: workflowId } = await applyWorkflow(engine.world, actor, MIXED)
  const workers = [1, 2].map(() =>
    engine.work(actor, async ({ stepPath }, signal) => {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 5)
        signal.addEventListener('abort', () => {
          clearTimeout(timer)
          resolve()
        })
      })
      return stepPath.endsWith('/a')
        ? { type: 'failed', error: { code: 'NO', message: 'no', retryable: true } }
        : { type: 'succeeded', output: stepPath }
    }),
  )
  const input = { letters: ['a', 'b', 'c', 'd', 'e'] }
  const requests = Array.from({ length: RUNS }, () => ({ workflowId, input }))
  const services = { database, wake: () => undefined }
  const runs = (await startRuns(services, actor, requests, String)).map(({ id }) => id)
  await Promise.all(Array.from({ length: OPERATORS }, (_, seed) => storm(actor, runs, seed + 1)))

  const everyRun = async () =>
    engine.rows<{ id: string; status: string }>(
      actor,
      'select id, status from run where organization_id = $1',
    )
  for (const { id } of await everyRun()) await attempt(controlRun(services, actor, 'resume', { id }))
  const isOver = ({ status }: { status: string }) => /completed|failed|cancelled/.test(status)
  await expect
    .poll(async () => (await everyRun()).filter((run) => !isOver(run)), { timeout: 60_000, interval: 200 })
    .toEqual([])
  for (const worker of workers) await worker[Symbol.asyncDispose]()

  expect(await engine.rows(actor, 'select * from strand where organization_id = $1')).toEqual([])
  expect(
    await engine.rows(
      actor,
      `select step_path, status from task where organization_id = $1 and status in ('ready', 'running', 'waiting')`,
    ),
  ).toEqual([])
  expect(
    await engine.rows(
      actor,
      `select subject, count(*) from log.event
       where organization_id = $1 and type in ('task.completed', 'task.failed', 'task.skipped', 'task.cancelled')
       group by subject having count(*) > 1`,
    ),
  ).toEqual([])
  const acted = await engine.rows<{ type: string }>(
    actor,
    `select distinct type from log.event where organization_id = $1`,
  )
  expect(acted.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['run.paused', 'run.resumed', 'task.controlled', 'task.skipped']),
  )
}, 120_000)
