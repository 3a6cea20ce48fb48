import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type BenchContext, interleave, type Round } from '../bench.ts'
import { type EngineWorld, SECRET, startEngineWorld, STEPS } from './engine-world.ts'

const ENTRY = fileURLToPath(import.meta.resolve('@tutti/workers/main'))
const RUNS = 200
/** What an agent takes to answer, and how many of them one process waits for at once: neither asks for a core. */
const ANSWER_MS = 50
const CONCURRENCY = 16

/** Steps that wait for an agent outside, done by one worker process and by two: steps a second of each. */
export async function measureProcesses(context: BenchContext): Promise<void> {
  await using agent = await startSlowAgent()
  await using world = await startEngineWorld({ agentUrl: agent.url, workers: false })
  await interleave(context, {
    'tutti-one-process': () => measure(world, 1),
    'tutti-two-processes': () => measure(world, 2),
  })
}

async function measure(world: EngineWorld, count: number): Promise<Round> {
  await using _ = await startWorkerProcesses(world.url, count)
  await world.run(CONCURRENCY * count, 'slow') // plans, caches and the JIT are warm in production
  const begun = performance.now()
  await world.run(RUNS, 'slow')
  const seconds = (performance.now() - begun) / 1_000
  return { throughput: { value: (RUNS * STEPS) / seconds, unit: 'steps/s' } }
}

async function startWorkerProcesses(databaseUrl: string, count: number): Promise<AsyncDisposable> {
  const env = {
    ...process.env,
    DATABASE_URL: databaseUrl,
    TUTTI_SECRET: SECRET,
    TUTTI_ALLOW_LOCAL_AGENTS: 'true',
    WORKER_CONCURRENCY: String(CONCURRENCY),
    LOG_LEVEL: 'error',
  }
  const children = Array.from({ length: count }, () =>
    fork(ENTRY, { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
  )
  await Promise.all(children.map((child) => once(child, 'message')))
  return {
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill('SIGTERM')
      const alive = children.filter(({ exitCode }) => exitCode === null)
      await Promise.all(alive.map((child) => once(child, 'exit')))
    },
  }
}

async function startSlowAgent(): Promise<AsyncDisposable & { url: string }> {
  const server = createServer((request, response) => {
    request.resume()
    void pause(ANSWER_MS).then(() =>
      response.setHeader('content-type', 'application/json').end('{"output":null}'),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
