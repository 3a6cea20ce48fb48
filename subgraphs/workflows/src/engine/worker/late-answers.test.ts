import { setTimeout as wait } from 'node:timers/promises'
import { createLog } from '@tutti/runtime'
import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Engine, openEngine } from '../../testing/open-engine.ts'
import { startTaskRunner, type TaskRunner } from './task-runner.ts'

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
afterAll(() => engine[Symbol.asyncDispose]())

/** Longer than a worker goes on with one strand before it puts it back into the queue. */
const LATE_MS = 80
/** Still at it when the answer comes. */
const WORK_MS = 2 * LATE_MS
const STEPS = 3

test('a strand that its worker put back and claimed again before it heard of the first is not forgotten', async () => {
  const actor = await engine.organization('alpha')
  const { database } = engine.world
  const pool = database.pool('worker')
  const runners: TaskRunner[] = []
  const late: pg.Pool = Object.assign(Object.create(pool) as pg.Pool, {
    query: async (query: pg.QueryConfig | string, values?: unknown[]) => {
      const answer = await (typeof query === 'string' ? pool.query(query, values) : pool.query(query))
      if (typeof query === 'string' || !query.name?.startsWith('engine-write')) return answer
      for (const runner of runners) runner.wake()
      await wait(LATE_MS)
      return answer
    },
  })
  const started: string[] = []
  await using worker = startTaskRunner({
    database: { ...database, pool: (role) => (role === 'worker' ? late : database.pool(role)) },
    log: createLog('test', 'silent'),
    execute: async ({ stepPath }) => {
      started.push(stepPath)
      await wait(WORK_MS)
      return { type: 'succeeded', output: stepPath }
    },
  })
  runners.push(worker)
  const steps = Array.from({ length: STEPS }, (_, index) => `{ name: step_${index}, agent: alpha }`)
  const id = await engine.start(actor, `format: tutti/1\nname: chain\nsteps: [${steps.join(', ')}]`)
  worker.wake()
  await expect
    .poll(() => engine.rows(actor, `select status from run where organization_id = $1 and id = $2`, [id]), {
      timeout: 30_000,
    })
    .toEqual([{ status: 'completed' }])
  expect(started).toEqual(Array.from({ length: STEPS }, (_, index) => `step_${index}`))
})
