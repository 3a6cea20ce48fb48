import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type HttpAgent, httpAgentDocument, startHttpAgent } from '../flows/http-agent.ts'
import { applyWorkflow, readRun, registerAgent, startRuns } from '../flows/operations.ts'
import { type Platform, startPlatform } from '../flows/platform.ts'

const RUNS = 5
const cleanup = new AsyncDisposableStack()
let platform: Platform
let agent: HttpAgent
/** Lets the agent answer the calls of the first, and of the second worker. */
const answers = { early: Promise.withResolvers<void>(), late: Promise.withResolvers<void>() }

beforeAll(async () => {
  const calls = new Map<string, number>()
  agent = cleanup.use(
    await startHttpAgent(({ json }) => {
      const count = (calls.get(json.taskId) ?? 0) + 1
      calls.set(json.taskId, count)
      return count === 1
        ? { output: 'of the frozen one', after: answers.early.promise }
        : { output: 'of its successor', after: answers.late.promise }
    }),
  )
  platform = cleanup.use(
    await startPlatform('standalone', { workers: 2, environment: { TUTTI_ALLOW_LOCAL_AGENTS: 'true' } }),
  )
})
afterAll(() => cleanup.disposeAsync())

it('a worker that was frozen beyond its leases comes back, and what it then answers is refused', async () => {
  const operator = platform.as('operator')
  await registerAgent(operator, httpAgentDocument('elsewhere', agent.url))
  const workflowId = await applyWorkflow(operator, {
    format: 'tutti/1',
    name: 'frozen',
    steps: [{ name: 'work', agent: 'elsewhere', output: 'result' }],
  })
  const { 'worker-1': first = 0, 'worker-2': second = 0 } = platform.tutti.pids()
  expect(Math.min(first, second)).toBeGreaterThan(0)

  process.kill(second, 'SIGSTOP')
  const ids = await startRuns(operator, workflowId, Array<object>(RUNS).fill({}))
  await expect.poll(() => agent.calls.length, { timeout: 15_000 }).toBe(RUNS)
  process.kill(first, 'SIGSTOP')
  process.kill(second, 'SIGCONT')
  await expect.poll(() => agent.calls.length, { timeout: 20_000 }).toBe(2 * RUNS)

  // The answers wait in the frozen one's sockets: they are the first thing it sees when it wakes.
  answers.early.resolve()
  await expect.poll(() => agent.answered(), { timeout: 15_000 }).toBe(RUNS)
  process.kill(first, 'SIGCONT')
  const log = () => readFileSync(join(platform.directory, 'log/worker-1.log'), 'utf8')
  const completed = () =>
    platform.sql<{ completed: number }>(
      `select count(*)::int as completed from task where status = 'completed'`,
    )
  await expect
    .poll(async () => /a strand was lost/.test(log()) || (await completed())[0]?.completed, {
      timeout: 15_000,
    })
    .toBeTruthy()
  expect(await completed()).toEqual([{ completed: 0 }])

  answers.late.resolve()
  await expect.poll(completed, { timeout: 15_000 }).toEqual([{ completed: RUNS }])
  for (const id of ids) {
    expect(await readRun(platform.as('viewer'), id)).toMatchObject({
      status: 'COMPLETED',
      state: { result: 'of its successor' },
      tasks: [{ attempt: 1 }],
    })
  }
  const events = `select count(*)::int as completions from log.event where type = 'task.completed'`
  expect(await platform.sql(events)).toEqual([{ completions: RUNS }])
}, 90_000)
