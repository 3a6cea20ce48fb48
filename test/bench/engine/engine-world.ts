import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { registerAgent } from '@tutti/agents/domain'
import { type Data, migrate, openData, roleUrl } from '@tutti/prisma'
import { testActor } from '@tutti/prisma/testing'
import { createLanes, createLifecycle, createLog, type Lifecycle } from '@tutti/runtime'
import { type Actor, TASK_LANE } from '@tutti/schema'
import { startEmbeddedPostgres } from '@tutti/standalone'
import { startWorkers } from '@tutti/workers'
import { applyWorkflow, startRuns } from '@tutti/workflows/domain'

const SECRET = 'a-secret-for-benches-only-of-48-characters-at-least'
export const STEPS = 5

/** A PostgreSQL as `npm start` has it (fsync on), with one organization that has a workflow of five no-op steps. */
export interface EngineWorld extends AsyncDisposable {
  url: string
  data: Data
  actor: Actor
  /** Starts runs and resolves when the last has ended, committed. */
  run(count: number): Promise<void>
  /** CPU seconds of the PostgreSQL server so far. */
  storeCpu(): number
}

/** Starts it, with the workers in this process: queue on Redis when it has a URL. */
export async function startEngineWorld(redisUrl?: string): Promise<EngineWorld> {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-bench-'))
  chmodSync(directory, 0o711) // PostgreSQL runs as another user when we are root, and has to pass
  const postgres = await startEmbeddedPostgres({ directory })
  await migrate({ url: postgres.url, secret: SECRET })
  const log = createLog('bench', 'error')
  const lifecycle: Lifecycle = createLifecycle(log)
  const data = lifecycle.own(await openData({ url: postgres.url, secret: SECRET }))
  const actor = testActor('admin')
  await prepare(data, actor)
  const workers = await startWorkers(
    data,
    { databaseUrl: postgres.url, redisUrl, secret: SECRET, log, models: {}, allowLocalAgents: false },
    lifecycle,
  )
  // The starter is this process and wakes its own workers directly; the lane is nudged as well, and its cost counts.
  const lanes = lifecycle.own(
    await createLanes({ redisUrl, postgresUrl: roleUrl(postgres.url, 'queue', SECRET) }, log),
  )
  const wake = (): void => {
    workers.wake()
    lanes.nudge(TASK_LANE)
  }
  const services = { database: data.database, wake }

  return {
    url: postgres.url,
    data,
    actor,
    async run(count) {
      const ended = endsOf(data, actor, count)
      for (let left = count; left > 0; left -= 500) {
        const requests = Array.from({ length: Math.min(left, 500) }, () => ({
          workflowName: 'noop',
          input: {},
        }))
        await startRuns(services, actor, requests, String)
      }
      await ended
    },
    storeCpu: () => cpuOfChildren(postgres.pid),
    async [Symbol.asyncDispose]() {
      await lifecycle.stop()
      await postgres.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function endsOf(data: Data, actor: Actor, count: number): Promise<void> {
  let left = count
  const types = ['run.completed', 'run.failed'] as const
  for await (const event of data.tail.subscribe({ organizationId: actor.organizationId, types }, {})) {
    if (event.type === 'run.failed') throw new Error('A run of the bench failed.')
    if (--left === 0) return
  }
}

async function prepare(data: Data, actor: Actor): Promise<void> {
  await data.database.inTenant(actor, (tx) =>
    tx.db.organization.create({ data: { organizationId: actor.organizationId, name: 'bench' } }),
  )
  const agent = `
metadata: { name: noop_agent, type: bench.noop, version: 1.0.0 }
capabilities: [nothing]
executor: { type: builtin, function: noop, settings: {} }`
  await registerAgent({ database: data.database }, actor, { document: agent })
  const steps = Array.from(
    { length: STEPS },
    (_, index) => `  - { name: step_${index + 1}, agent: noop_agent }`,
  )
  await applyWorkflow({ database: data.database }, actor, `name: noop\nsteps:\n${steps.join('\n')}\n`)
}

const TICKS_PER_SECOND = 100

/** User and system time of a process and its children that live, from /proc, in seconds. */
function cpuOfChildren(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)
  const ticks = [String(pid), ...children].reduce((sum, each) => {
    // The name, in brackets, may hold blanks: what is counted stands behind it.
    const fields = readFileSync(`/proc/${each}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return sum + Number(fields[11]) + Number(fields[12])
  }, 0)
  return ticks / TICKS_PER_SECOND
}

/** A redis-server on a free port, or undefined where it is not installed. */
export async function startRedis(): Promise<(AsyncDisposable & { url: string }) | undefined> {
  if (spawnSync('redis-server', ['--version']).status !== 0) return undefined
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  const port = typeof address === 'object' && address ? address.port : 0
  probe.close()
  const directory = mkdtempSync(join(tmpdir(), 'tutti-bench-redis-'))
  const flags = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', directory, '--appendonly', 'yes']
  const server = spawn('redis-server', flags)
  for await (const line of server.stdout) if (String(line).includes('Ready to accept')) break
  return {
    url: `redis://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.kill()
      await once(server, 'exit')
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
