import { openTail, type Tail } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { createLog } from '@tutti/runtime'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTaskRunner } from '../../engine/worker/task-runner.ts'
import { applyWorkflow } from '../../workflows/apply-workflow.ts'
import { startRuns } from '../start-runs.ts'
import { failOverdueRuns } from './fail-overdue-runs.ts'

let world: TestDatabase
let tail: Tail

beforeAll(async () => {
  world = await openTestDatabase()
  tail = await openTail(world.database)
})
afterAll(async () => {
  await tail[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

test('a run whose own time is over fails; what it waited for is not counted', async () => {
  const actor = await world.organization()
  await world.database.inTenant(actor, (tx) =>
    tx.db.agent.create({
      data: {
        organizationId: actor.organizationId,
        name: 'slow',
        type: 'test',
        version: '1',
        executor: {},
        configuration: {},
        configurationHash: 'slow',
      },
    }),
  )
  const document = (name: string, step: string): string =>
    `format: tutti/1\nname: ${name}\ntimeout: 1s\nsteps:\n  - ${step}\n`
  await applyWorkflow(world, actor, document('works', '{ name: work, agent: slow }'))
  await applyWorkflow(world, actor, document('waits', '{ name: rest, type: wait, for: 1h }'))
  let told = false
  await using runner = startTaskRunner({
    database: world.database,
    log: createLog('test', 'silent'),
    execute: (_, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          told = true
          resolve({ type: 'timed_out' })
        })
      }),
  })
  const [works, waits] = await startRuns(
    { database: world.database, wake: () => runner.wake() },
    actor,
    [
      { workflowName: 'works', input: {} },
      { workflowName: 'waits', input: {} },
    ],
    String,
  )
  let failed = 0
  while (failed === 0) {
    failed = await failOverdueRuns(world)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const rows = await world.database.readTenant<{ id: string }>(
    actor,
    `select id, status, error->>'code' as code from run where organization_id = $1 order by id`,
    [actor.organizationId],
  )
  expect(Object.fromEntries(rows.map(({ id, ...row }) => [id, row]))).toEqual({
    [works?.id ?? '']: { status: 'failed', code: 'RUN_TIMED_OUT' },
    [waits?.id ?? '']: { status: 'waiting', code: null },
  })
  await expect.poll(() => told, { timeout: 10_000 }).toBe(true)
})
