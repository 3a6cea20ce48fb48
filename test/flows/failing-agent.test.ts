import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { applyWorkflow, registerAgent, startRuns } from './operations.ts'
import { type Platform, startPlatform } from './platform.ts'

const RUNS = 500
const cleanup = new AsyncDisposableStack()
let platform: Platform

/** What was done outside, by idempotency key: once each, whoever does it, as agents that go by the key do it. */
const effects = new Map<string, string>()

/** An agent that can be killed and started again at the same place. */
class MortalAgent implements AsyncDisposable {
  readonly name: string
  #server: Server | undefined
  port = 0
  calls = 0

  constructor(name: string) {
    this.name = name
  }

  async start(): Promise<void> {
    const server = createServer(async (request, response) => {
      if (request.method !== 'POST') {
        response.end('well')
        return
      }
      this.calls += 1
      const { input } = JSON.parse(await text(request))
      await pause(10)
      const key = String(request.headers['idempotency-key'])
      if (!effects.has(key)) effects.set(key, this.name)
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ output: { done: input.number, by: this.name } }))
    })
    server.listen(this.port, '127.0.0.1')
    await once(server, 'listening')
    this.port = (server.address() as AddressInfo).port
    this.#server = server
  }

  /** At once, in the middle of whatever it does. */
  async kill(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    server?.closeAllConnections()
    server?.close()
    if (server) await once(server, 'close')
  }

  document(): string {
    return [
      `metadata: { name: ${this.name}, type: service.test, version: 1.0.0 }`,
      'capabilities: [typesetting]',
      'resource_requirements: { max_concurrent_tasks: 20 }',
      `executor: { type: http, url: "http://127.0.0.1:${this.port}/do" }`,
    ].join('\n')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill()
  }
}

const main = cleanup.use(new MortalAgent('main press'))
const backup = cleanup.use(new MortalAgent('second press'))

beforeAll(async () => {
  await main.start()
  await backup.start()
  platform = cleanup.use(
    await startPlatform('standalone', { environment: { TUTTI_ALLOW_LOCAL_AGENTS: 'true' } }),
  )
})
afterAll(() => cleanup.disposeAsync())

interface Seen {
  type: string
  data: { name?: string; action?: string; cause?: string; from?: string; to?: string }
}

it('an HTTP agent killed in the middle of 500 runs: others do its work, it comes back, and every run ends', async () => {
  const operator = platform.as('operator')
  const mainId = await registerAgent(operator, main.document())
  await registerAgent(operator, backup.document())
  await operator.query(
    'mutation($input: SetReliabilityInput!) { setReliability(input: $input) { reliability { breaker { openSeconds } } } }',
    {
      input: { breaker: { openSeconds: 1, failures: 5, maxOpenSeconds: 2 } },
    },
  )
  const workflowId = await applyWorkflow(operator, {
    format: 'tutti/1',
    name: 'typeset',
    inputs: ['number'],
    steps: [
      {
        name: 'set',
        capability: 'typesetting',
        input: ['number'],
        output: 'page',
        retry: { attempts: 5, delay: '50ms' },
      },
    ],
  })
  const start = (from: number, count: number) =>
    startRuns(
      operator,
      workflowId,
      Array.from({ length: count }, (_, index) => ({ number: from + index })),
    )
  const count = async (status: string) =>
    (await platform.sql<{ n: number }>(`select count(*)::int as n from run where status = $1`, [status]))[0]
      ?.n
  const breaker = async () => {
    const { agent } = await operator.query<{ agent: { breaker: { state: string } } }>(
      'query($id: ID!) { agent(id: $id) { breaker { state } } }',
      { id: mainId },
    )
    return agent.breaker.state
  }

  await start(0, 100)
  await start(100, 100)
  await expect.poll(() => main.calls, { timeout: 20_000, interval: 5 }).toBeGreaterThan(20)
  await main.kill()
  await start(200, 100)
  await expect.poll(breaker, { timeout: 20_000, interval: 20 }).not.toBe('CLOSED')
  await start(300, 50)
  const before = main.calls
  await main.start()
  await expect
    .poll(
      async () => {
        await start(1_000, 1)
        return breaker()
      },
      { timeout: 20_000, interval: 300 },
    )
    .toBe('CLOSED')
  const [runs] = await platform.sql<{ n: number }>('select count(*)::int as n from run')
  const begun = runs?.n ?? 0
  for (let left = RUNS - begun; left > 0; left -= 50) await start(2_000, Math.min(left, 50))

  await expect.poll(() => count('completed'), { timeout: 30_000, interval: 100 }).toBe(RUNS)
  expect(await count('failed')).toBe(0)
  // It takes work again.
  expect(main.calls).toBeGreaterThan(before)

  // Each effect once, by its key; and every run has the page that the effect of its own key made.
  expect(effects.size).toBe(RUNS)

  const events = await platform.sql<Seen>(
    `select type, data from log.event where type like 'breaker.%' or type = 'task.recovery' order by seq`,
  )
  const story = events.filter(({ type }) => type.startsWith('breaker.')).map(({ type }) => type)
  expect(story[0]).toBe('breaker.opened')
  expect(story).toContain('breaker.half_opened')
  expect(story.at(-1)).toBe('breaker.closed')
  expect(
    events.filter(({ type }) => type === 'breaker.closed').every(({ data }) => data.cause === 'recovered'),
  ).toBe(true)
  const over = events.filter(({ data }) => data.action === 'fail_over' && data.to === 'second press')
  expect(over.length).toBeGreaterThan(0)

  // The task itself tells who did it in the end, and why.
  const [handed] = await platform.sql<{
    agent_name: string
    recovery: { from: string; to: string }[]
    assignment: { agent: string }
  }>(
    `select agent_name, recovery, assignment from task where recovery is not null and agent_name = 'second press' limit 1`,
  )
  expect(handed?.recovery[0]).toMatchObject({ from: 'main press', to: 'second press' })
  expect(handed?.assignment.agent).toBe('second press')
}, 60_000)
