import { registerAgent } from '@tutti/agents/domain'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { createLog } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { applyWorkflow, startRuns } from '@tutti/workflows/domain'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTaskLogCollector } from './task-log-collector.ts'

let world: TestDatabase
let actor: Actor
let taskId: string

beforeAll(async () => {
  world = await openTestDatabase()
  actor = await world.organization('operator')
  const services = { database: world.database, wake: () => undefined }
  await registerAgent(world, actor, { document: 'metadata: { name: ada, type: test, version: 1.0.0 }' })
  const workflow = await applyWorkflow(services, actor, 'name: works\nsteps: [{name: work, agent: ada}]')
  await startRuns(services, actor, [{ workflowId: workflow.id, input: {} }], (index) => `runs.${index}`)
  const [task] = await world.database.readTenant<{ id: string }>(actor, 'select id from task')
  taskId = task?.id ?? ''
})
afterAll(() => world[Symbol.asyncDispose]())

const lines = () =>
  world.database.readTenant<{ message: string; data: unknown; attempt: number }>(
    actor,
    'select message, data, attempt from task_log where organization_id = $1 order by id',
    [actor.organizationId],
  )

test('its end sends all lines, in the order they were said; what is too long or no JSON is cut', async () => {
  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  {
    await using collector = createTaskLogCollector({
      database: world.database,
      log: createLog('test', 'silent'),
    })
    const append = (message: string, data?: unknown) =>
      collector.append(actor, { taskId, attempt: 2, level: 'info', message, data })
    for (let n = 0; n < 1_200; n++) append(`line ${n}`)
    append('é'.repeat(10_000), 'lost')
    append('with too much', 'x'.repeat(17_000))
    append('with itself', circular)
    append('with data', { n: 1 })
  }
  const kept = await lines()
  expect(kept.slice(0, 1_200).map(({ message }) => message)).toEqual(
    Array.from({ length: 1_200 }, (_, n) => `line ${n}`),
  )
  expect(kept.slice(1_200)).toMatchObject([
    { message: expect.stringMatching(/^é{8000}/), data: null, attempt: 2 },
    { message: 'with too much', data: null },
    { message: 'with itself', data: null },
    { message: 'with data', data: { n: 1 } },
  ])
})
