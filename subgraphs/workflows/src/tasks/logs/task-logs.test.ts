import { openTestDatabase, type TestDatabase, testActor } from '@tutti/prisma/testing'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Context } from '../../context.ts'
import { runningTask } from '../../testing/running-task.ts'
import { appendTaskLogs, MOST_LINE_BYTES, MOST_LINES, type TaskLogLine } from './append-task-logs.ts'
import { deleteExpiredLogs } from './delete-expired-logs.ts'
import { listTaskLogs } from './list-task-logs.ts'
import { searchTaskLogs, type TaskLogSearch } from './search-task-logs.ts'

let world: TestDatabase

beforeAll(async () => {
  world = await openTestDatabase()
})
afterAll(() => world[Symbol.asyncDispose]())

const context = (actor: Actor): Pick<Context, 'database' | 'actor'> => ({ database: world.database, actor })
const line = (taskId: string, message: string, more: Partial<TaskLogLine> = {}): TaskLogLine => ({
  taskId,
  level: 'info',
  message,
  ...more,
})
const messages = ({ nodes }: { nodes: { message: string }[] }): string[] =>
  nodes.map(({ message }) => message)

test('lines are read in the order they were said, in pages, over calls and within one', async () => {
  const actor = await world.organization()
  const { id } = await runningTask(world, actor)
  const said = Array.from({ length: 250 }, (_, n) => `line ${n}`)
  for (let at = 0; at < said.length; at += 50)
    await appendTaskLogs(
      world,
      actor,
      said.slice(at, at + 50).map((text) => line(id, text)),
    )
  const seen: string[] = []
  for (let after: string | null = null; ;) {
    const page = await listTaskLogs(context(actor), id, { first: 100, after })
    seen.push(...messages(page))
    if (!page.pageInfo.hasNextPage) break
    after = page.pageInfo.endCursor
  }
  expect(seen).toEqual(said)
})

test('a level means itself and worse; a search, each word in the message or the data, whatever its case', async () => {
  const actor = await world.organization()
  const { id } = await runningTask(world, actor)
  await appendTaskLogs(world, actor, [
    line(id, 'asked the model', { level: 'debug', data: { model: 'Large' } }),
    line(id, 'the answer is long'),
    line(id, 'the answer was cut', { level: 'warn', data: { tokens: 4_000 } }),
    line(id, '100 % wrong', { level: 'error' }),
  ])
  const list = async (listing: { level?: string; search?: string }) =>
    messages(await listTaskLogs(context(actor), id, listing))
  expect(await list({ level: 'warn' })).toEqual(['the answer was cut', '100 % wrong'])
  expect(await list({ search: 'ANSWER' })).toEqual(['the answer is long', 'the answer was cut'])
  expect(await list({ search: 'cut  answer 4000' })).toEqual(['the answer was cut'])
  expect(await list({ search: 'large' })).toEqual(['asked the model'])
  expect(await list({ search: '%' })).toEqual(['100 % wrong'])
  expect(await list({ search: 'nu\0l' })).toEqual([])
  const search = 'w '.repeat(501)
  await expect(list({ search })).rejects.toMatchObject({ code: 'BAD_INPUT', path: 'search' })
  await expect(searchTaskLogs(context(actor), { search }, {})).rejects.toMatchObject({ path: 'input.search' })
})

test('a search finds lines of many tasks, newest first, by run, workflow, agent and time', async () => {
  const actor = await world.organization()
  const [first, second] = [await runningTask(world, actor), await runningTask(world, actor)]
  const early = new Date('2026-01-01T00:00:00Z')
  await appendTaskLogs(world, actor, [
    line(first.id, 'needle one', { time: early }),
    line(second.id, 'needle two'),
    line(first.id, 'straw'),
  ])
  const find = async (search: TaskLogSearch, by = actor) =>
    messages(await searchTaskLogs(context(by), search, {}))
  expect(await find({})).toEqual(['straw', 'needle two', 'needle one'])
  expect(await find({ search: 'needle' })).toEqual(['needle two', 'needle one'])
  expect(await find({ search: 'needle', runId: first.runId })).toEqual(['needle one'])
  expect(await find({ search: 'needle', workflowId: second.workflowId })).toEqual(['needle two'])
  expect(await find({ agentId: second.agentId })).toEqual(['needle two'])
  expect(await find({ to: new Date('2026-01-02T00:00:00Z') })).toEqual(['needle one'])
  expect(await find({ from: new Date('2026-01-02T00:00:00Z') })).toEqual(['straw', 'needle two'])
  expect(await find({ runId: 'not-an-id' })).toEqual([])
  expect(await find({ search: 'needle' }, testActor('admin'))).toEqual([])
})

test('a search that finds nothing looks at a bounded number of lines and says where it goes on', async () => {
  const actor = await world.organization()
  const task = await runningTask(world, actor)
  await appendTaskLogs(world, actor, [line(task.id, 'the needle at the bottom')])
  await world.database.inTenant(actor, (tx) =>
    tx.sql(
      `insert into task_log (organization_id, task_id, run_id, attempt, level, message, expires_at)
       select $1::uuid, $2::uuid, $3::uuid, 1, 'info', 'straw', now() + interval '1 day' from generate_series(1, 100000)`,
      actor.organizationId,
      task.id,
      task.runId,
    ),
  )
  const first = await searchTaskLogs(context(actor), { search: 'needle' }, {})
  expect(first).toMatchObject({ nodes: [], pageInfo: { hasNextPage: true } })
  const second = await searchTaskLogs(
    context(actor),
    { search: 'needle' },
    { after: first.pageInfo.endCursor },
  )
  expect(messages(second)).toEqual(['the needle at the bottom'])
  expect(second.pageInfo.hasNextPage).toBe(false)
})

test('all that is wrong with a batch is said at once, and nothing of it is kept', async () => {
  const actor = await world.organization()
  const { id } = await runningTask(world, actor)
  const foreign = await runningTask(world, await world.organization())
  const refused = async (lines: TaskLogLine[]) => {
    const refusal = await appendTaskLogs(world, actor, lines).catch((error: unknown) => error)
    return refusal instanceof Error && 'problems' in refusal ? refusal.problems : refusal
  }
  const good = line(id, 'good')
  expect(
    await refused([
      good,
      line('not-an-id', 'm', { level: 'loud' as 'info' }),
      line(id, 'x'.repeat(MOST_LINE_BYTES), { data: 1 }),
      line(id, 'm', { time: new Date(Number.NaN) }),
    ]),
  ).toMatchObject([
    { code: 'NOT_FOUND', path: 'lines[1].taskId' },
    { code: 'UNKNOWN_LEVEL', path: 'lines[1].level' },
    { code: 'TOO_LARGE', path: 'lines[2].message' },
    { code: 'NO_TIME', path: 'lines[3].time' },
  ])
  expect(await refused([good, line(foreign.id, 'm')])).toMatchObject([
    { code: 'NOT_FOUND', path: 'lines[1].taskId' },
  ])
  expect(await refused(Array.from({ length: MOST_LINES + 1 }, () => good))).toEqual([])
  expect(messages(await listTaskLogs(context(actor), id, {}))).toEqual([])
  await appendTaskLogs(world, actor, [line(id, 'é'.repeat(MOST_LINE_BYTES / 2)), line(id, 'a\0b\ud800')])
  expect(messages(await listTaskLogs(context(actor), id, {})).at(-1)).toBe('a\uFFFDb\uFFFD')
})

test('lines whose time is over go, of every tenant; the others stay', async () => {
  const actor = await world.organization()
  const { id } = await runningTask(world, actor)
  await appendTaskLogs(world, actor, [line(id, 'old'), line(id, 'young')])
  await world.database.inTenant(actor, (tx) =>
    tx.sql(`update task_log set expires_at = now() - interval '1 second' where message = 'old'`),
  )
  expect(await deleteExpiredLogs(world)).toBe(1)
  expect(await deleteExpiredLogs(world)).toBe(0)
  expect(messages(await listTaskLogs(context(actor), id, {}))).toEqual(['young'])
})
