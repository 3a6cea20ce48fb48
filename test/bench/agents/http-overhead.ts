import { fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { registerAgent } from '@tutti/agents/domain'
import { openTail } from '@tutti/prisma'
import type { TestDatabase } from '@tutti/prisma/testing'
import { createKms, createLog } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { createExecutor, openEgress } from '@tutti/workers/executors'
import type { ClaimedTask } from '@tutti/workflows/domain'
import { Agent, request } from 'undici'
import { z } from 'zod'
import { type BenchContext, interleave, percentile, type Round } from '../bench.ts'

const PARALLEL = 50
const CALLS = 4_000
const SERVER = fileURLToPath(import.meta.resolve('./slow-server.ts'))

/**
 * Calls of an HTTP agent that takes 20 ms, 50 at a time: by the worker's executor (agent and credentials looked up,
 * signed, answer checked), and by a bare client with the same body. `http_overhead_p50` is the difference of their medians.
 */
export async function measureHttpOverhead(
  context: BenchContext,
  world: TestDatabase,
  actor: Actor,
): Promise<void> {
  const server = fork(SERVER, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const [message] = await once(server, 'message')
  const url = `http://127.0.0.1:${z.object({ port: z.int() }).parse(message).port}/`
  const { database, secret } = world
  await using egress = openEgress({ allowLocal: true })
  await using tail = await openTail(database)
  const bare = new Agent({ connections: PARALLEL })
  try {
    const document = `{metadata: {name: slow, type: bench.slow, version: '1'}, executor: {type: http, url: '${url}'}}`
    const { agent } = await registerAgent(world, actor, { document })
    const log = createLog('bench', 'error')
    const kms = createKms({ secret })
    const services = { database, tail, log, secret, kms, models: {}, allowLocalAgents: true }
    const execute = createExecutor(services, egress, { append: () => undefined })
    const byPlatform = async (): Promise<void> => {
      const outcome = await execute(taskOf(actor, agent.id), AbortSignal.timeout(10_000))
      if (outcome.type !== 'succeeded') throw new Error('A call of the bench failed.')
    }
    const bareCall = async (): Promise<void> => {
      const body = JSON.stringify(taskOf(actor, agent.id).input)
      const headers = { 'content-type': 'application/json' }
      const response = await request(url, { method: 'POST', body, headers, dispatcher: bare })
      await response.body.json()
    }
    const medians: { platform: number[]; bare: number[] } = { platform: [], bare: [] }
    const measure = async (kind: keyof typeof medians, call: () => Promise<void>): Promise<Round> => {
      await inParallel(CALLS / 10, call)
      const before = process.cpuUsage()
      const latencies = await inParallel(CALLS, call)
      const { user, system } = process.cpuUsage(before)
      const p50 = percentile(latencies, 0.5)
      medians[kind].push(p50)
      const p99 = percentile(latencies, 0.99)
      return {
        http_p50: { value: p50, unit: 'ms' },
        http_p99: { value: p99, unit: 'ms' },
        http_cpu: { value: (user + system) / CALLS, unit: 'µs' },
      }
    }
    await interleave(context, {
      tutti: () => measure('platform', byPlatform),
      'raw-http': () => measure('bare', bareCall),
    })
    const value = percentile(medians.platform, 0.5) - percentile(medians.bare, 0.5)
    context.report({ case: 'tutti', metric: 'http_overhead_p50', value, unit: 'ms' })
  } finally {
    await bare.close()
    server.disconnect()
    await once(server, 'exit')
  }
}

/** Milliseconds of each of so many calls, `PARALLEL` at a time. */
async function inParallel(count: number, call: () => Promise<void>): Promise<number[]> {
  const latencies: number[] = []
  let left = count
  const one = async (): Promise<void> => {
    while (left-- > 0) {
      const begun = performance.now()
      await call()
      latencies.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, one))
  return latencies
}

const taskOf = ({ organizationId }: Actor, agentId: string): ClaimedTask => ({
  organizationId,
  id: randomUUID(),
  runId: randomUUID(),
  stepPath: 'work',
  nodeId: 'work',
  kind: 'agent',
  generation: 0,
  strandId: randomUUID(),
  fence: 1n,
  agentId,
  agentName: 'slow',
  attempt: 1,
  timeoutMs: 10_000,
  input: { message: 'How do I change my address?', language: 'en' },
  workflowId: randomUUID(),
  workflowName: 'bench',
})
