import { randomUUID } from 'node:crypto'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import type { Actor, EventRecord } from '@tutti/schema'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { recordOutcomes } from './record-outcomes.ts'

let world: TestDatabase
let actor: Actor
beforeAll(async () => {
  world = await openTestDatabase()
})
beforeEach(async () => {
  actor = await world.organization('operator')
})
afterAll(() => world[Symbol.asyncDispose]())

const workflowId = randomUUID()
type Ending = 'run.completed' | 'run.failed' | 'run.cancelled'

function ended(
  count: number,
  type: Ending,
  time = '2026-05-05T10:30:00Z',
  organizationId = actor.organizationId,
): EventRecord[] {
  return Array.from({ length: count }, () => {
    const id = randomUUID()
    const data = {
      runId: id,
      workflowId,
      workflowName: 'greet',
      fallback: false,
      error: { code: 'X', message: 'x' },
    }
    return {
      organizationId,
      seq: 1n,
      id,
      type,
      subject: `run/${id}`,
      actor: { id: 'a', kind: 'system', name: 'a' },
      data,
      time: new Date(time),
    }
  })
}
const anomalies = (of = actor) =>
  world.database.readTenant(of, 'select type, severity, value, workflow_id from anomaly order by detected_at')
const told = () =>
  world.database.readTenant<{ data: { value: number } }>(
    actor,
    "select data from log.event where type = 'anomaly.detected'",
  )

test('more than a tenth of at least 20 runs failed: one anomaly, told once, however often it is seen', async () => {
  const events = [...ended(17, 'run.completed'), ...ended(3, 'run.failed')]
  await recordOutcomes(world, events)
  await recordOutcomes(world, events)
  await recordOutcomes(world, ended(2, 'run.failed', '2026-05-05T10:59:00Z'))
  expect(await anomalies()).toEqual([
    { type: 'workflow_failures', severity: 'high', value: 0.15, workflow_id: workflowId },
  ])
  expect((await told()).map(({ data }) => data.value)).toEqual([0.15])
})

test('a tenth exactly, or 19 runs, are no anomaly', async () => {
  await recordOutcomes(world, [...ended(18, 'run.completed'), ...ended(2, 'run.failed')])
  expect(await anomalies()).toEqual([])
  const other = await world.organization('operator')
  await recordOutcomes(world, ended(19, 'run.failed', '2026-05-05T10:30:00Z', other.organizationId))
  expect(await anomalies(other)).toEqual([])
})

test('only the last hour counts, and the next hour has an anomaly of its own', async () => {
  await recordOutcomes(world, ended(30, 'run.failed', '2026-05-05T08:00:00Z'))
  await recordOutcomes(world, ended(20, 'run.cancelled', '2026-05-05T09:30:00Z'))
  expect(await anomalies()).toHaveLength(1)
  await recordOutcomes(world, ended(30, 'run.failed', '2026-05-05T10:00:00Z'))
  expect(await anomalies()).toHaveLength(2)
})

test("tenants' runs are counted apart, also within one page of events", async () => {
  const other = await world.organization('operator')
  const theirs = (count: number, type: Ending) =>
    ended(count, type, '2026-05-05T10:30:00Z', other.organizationId)
  await recordOutcomes(world, [
    ...ended(10, 'run.failed'),
    ...theirs(18, 'run.completed'),
    ...theirs(12, 'run.failed'),
  ])
  expect(await anomalies()).toEqual([])
  expect(await anomalies(other)).toHaveLength(1)
})
