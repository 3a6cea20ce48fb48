import { openTestDatabase, type TestDatabase, testActor } from '@tutti/prisma/testing'
import { type Actor, TuttiError } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runningTask } from '../../testing/running-task.ts'
import { beatFromOutside, readLastReport, reportFromOutside, reportProgress } from './report-progress.ts'

let world: TestDatabase

beforeAll(async () => {
  world = await openTestDatabase()
})
afterAll(() => world[Symbol.asyncDispose]())

const progressOf = async (actor: Actor, id: string) => {
  const text = 'select progress from task where organization_id = $1 and id = $2'
  const [row] = await world.database.readTenant(actor, text, [actor.organizationId, id])
  return row?.['progress']
}
const told = (actor: Actor) =>
  world.database.readTenant<{ subject: string; data: object; actor: object; run_id: string }>(
    actor,
    `select subject, data, actor, run_id from log.event where organization_id = $1 and type = 'task.progress' order by seq`,
    [actor.organizationId],
  )

test('a report is kept on its task and told as an event', async () => {
  const actor = await world.organization('agent')
  const task = await runningTask(world, actor)
  const report = { percent: 40, message: 'two of five', data: { done: 2 } }
  expect(await reportProgress(world.database, actor, task, report)).toBe('kept')
  expect(await progressOf(actor, task.id)).toMatchObject(report)
  expect(await told(actor)).toMatchObject([
    {
      subject: `task/${task.id}`,
      run_id: task.runId,
      actor: { id: actor.id },
      data: { ...report, attempt: 1 },
    },
  ])
})

test('every report is kept, and of many in a moment one is told', async () => {
  const actor = await world.organization('agent')
  const task = await runningTask(world, actor)
  for (let percent = 1; percent <= 20; percent++)
    await reportProgress(world.database, actor, task, { percent })
  expect(await progressOf(actor, task.id)).toMatchObject({ percent: 20, message: null, data: null })
  expect((await told(actor)).map(({ data }) => data)).toMatchObject([{ percent: 1 }])
  const earlier = new Date(Date.now() - 10_000).toISOString()
  await world.database.inTenant(actor, (tx) =>
    tx.sql(`update task set progress = progress || jsonb_build_object('toldAt', $1::text)`, earlier),
  )
  await reportProgress(world.database, actor, task, { percent: 90 })
  expect((await told(actor)).map(({ data }) => data)).toMatchObject([{ percent: 1 }, { percent: 90 }])
})

test('who does not hold the task any more is told so, and nothing is written', async () => {
  const actor = await world.organization('agent')
  const task = await runningTask(world, actor)
  const stranger = testActor('agent')
  const late = [
    { ...task, fence: 6n },
    { ...task, fence: 8n },
    { ...task, organizationId: stranger.organizationId },
    { ...task, strandId: task.id },
    { ...task, id: task.strandId },
  ]
  for (const each of late)
    expect(await reportProgress(world.database, actor, each, { percent: 1 })).toBe('stale')
  await world.database.inTenant(actor, (tx) => tx.sql(`update strand set status = 'waiting'`))
  expect(await reportProgress(world.database, actor, task, { percent: 1 })).toBe('stale')
  expect([await progressOf(actor, task.id), await told(actor)]).toEqual([null, []])
})

test('a report of a task that is not written yet is early, and no mistake', async () => {
  const actor = await world.organization('agent')
  const task = await runningTask(world, actor)
  await world.database.inTenant(actor, (tx) => tx.sql('update strand set task_id = null'))
  const unwritten = { ...task, id: task.runId, begins: true }
  expect(await reportProgress(world.database, actor, unwritten, { percent: 1 })).toBe('early')
  expect(await reportProgress(world.database, actor, { ...unwritten, fence: 6n }, { percent: 1 })).toBe(
    'stale',
  )
  expect(await told(actor)).toEqual([])
  await world.database.inTenant(actor, (tx) =>
    tx.sql('update strand set task_id = $1::uuid, fence = fence + 1', task.id),
  )
  expect(await reportProgress(world.database, actor, { ...task, begins: true }, { percent: 1 })).toBe('kept')
  expect(await reportProgress(world.database, actor, task, { percent: 1 })).toBe('stale')
})

test('a report that says too much is refused, all of it at once; odd characters are not', async () => {
  const actor = await world.organization('agent')
  const task = await runningTask(world, actor)
  const refusal = await reportProgress(world.database, actor, task, {
    percent: 101,
    message: 'm'.repeat(1_001),
    data: 'd'.repeat(5_000),
  }).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(TuttiError)
  expect(refusal).toMatchObject({
    code: 'BAD_INPUT',
    problems: [{ path: 'report.percent' }, { path: 'report.message' }, { path: 'report.data' }],
  })
  await reportProgress(world.database, actor, task, { message: 'a\0b', data: { '\ud800': '\0' } })
  expect(await progressOf(actor, task.id)).toMatchObject({
    message: 'a\uFFFDb',
    data: { '\uFFFD': '\uFFFD' },
  })
})

test('who reports by its own rights does so in its organization alone', async () => {
  const actor = await world.organization('agent')
  const task = await runningTask(world, actor)
  const other = await world.organization('agent')
  const report = (by: Actor) => reportFromOutside(world.database, by, task, { percent: 5 }, 'input')
  expect(await report(other)).toBe('stale')
  expect(await beatFromOutside(world.database, other, task)).toBe('stale')
  expect(await progressOf(actor, task.id)).toBeNull()
  expect(await report(actor)).toBe('kept')
  expect(await told(actor)).toMatchObject([{ data: { percent: 5 } }])
})

test('a sign of life is no report, and leaves the last one as it was', async () => {
  const actor = await world.organization('agent')
  const task = await runningTask(world, actor)
  expect(await readLastReport(world.database, task)).toBeNull()
  expect(await beatFromOutside(world.database, actor, task)).toBe('kept')
  expect(await readLastReport(world.database, task)).toMatchObject({ isReport: false, percent: null })
  await reportProgress(world.database, actor, task, { percent: 40, data: { done: 2 } })
  const long = "update task set progress = progress || jsonb_build_object('time', now() - interval '1 hour')"
  await world.database.inTenant(actor, (tx) => tx.sql(long))
  const before = await readLastReport(world.database, task)
  expect(before).toMatchObject({ isReport: true, percent: 40, message: null, data: { done: 2 } })
  await beatFromOutside(world.database, actor, task)
  const after = await readLastReport(world.database, task)
  expect(after).toMatchObject({ isReport: true, percent: 40, data: { done: 2 } })
  expect(before?.ageMs).toBeGreaterThanOrEqual(3_600_000)
  expect(after?.ageMs).toBeLessThan(3_600_000)
  expect(await beatFromOutside(world.database, actor, { ...task, fence: 6n })).toBe('stale')
  expect(await told(actor)).toHaveLength(1)
})
