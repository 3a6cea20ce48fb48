import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { registerAgent } from '@tutti/agents/domain'
import { type Data, migrate, openData, roleUrl } from '@tutti/prisma'
import { testActor } from '@tutti/prisma/testing'
import { createKms, createLanes, createLifecycle, createLog, type Lifecycle } from '@tutti/runtime'
import { type Actor, TASK_LANE } from '@tutti/schema'
import { startWorkers } from '@tutti/workers'
import pg from 'pg'
import { applyWorkflow, startRuns } from '@tutti/workflows/domain'
import { startPostgres } from '../start-postgres.ts'

export const SECRET = 'a-secret-for-benches-only-of-48-characters-at-least'
export const STEPS = 5

/** A PostgreSQL as `npm start` has it (fsync on), with one organization that has a workflow of five no-op steps. */
export interface EngineWorld extends AsyncDisposable {
  url: string
  data: Data
  actor: Actor
  /** Starts runs of a workflow and resolves when the last has ended, committed. */
  run(count: number, workflow?: BenchWorkflow, input?: Record<string, unknown>): Promise<void>
  /** The same engine, seen by another organization. */
  neighbour: Pick<EngineWorld, 'run'>
  /** Puts finished runs of five steps with their history into the database, made by `INSERT … SELECT`. */
  addHistory(runs: number): Promise<void>
  /** What the server has written so far. */
  written(): Promise<{ walBytes: number; commits: number }>
  /** CPU seconds of the PostgreSQL server so far. */
  storeCpu(): number
}

/**
 * `noop`: five no-op steps; `fanout`: one no-op step for every item of `items`, and their join; `slow`: five steps that an
 * agent outside answers.
 */
export type BenchWorkflow = 'noop' | 'fanout' | 'slow'

export interface EngineWorldOptions {
  /** The queue is on Redis. */
  redisUrl?: string | undefined
  /** Where `slow` is done; without one there is no such workflow. */
  agentUrl?: string
  /** Without: the work is left to processes that the caller starts. */
  workers?: boolean
}

/** Starts it, with the workers in this process unless told otherwise. */
export async function startEngineWorld({
  redisUrl,
  agentUrl,
  workers: hasWorkers = true,
}: EngineWorldOptions = {}): Promise<EngineWorld> {
  const postgres = await startPostgres()
  await migrate({ url: postgres.url, secret: SECRET })
  const log = createLog('bench', 'error')
  const lifecycle: Lifecycle = createLifecycle(log)
  const data = lifecycle.own(await openData({ url: postgres.url, secret: SECRET }))
  const actor = testActor('admin')
  const other = testActor('admin')
  for (const each of [actor, other]) await prepare(data, each)
  if (agentUrl !== undefined) await prepareSlow(data, actor, agentUrl)
  const options = {
    databaseUrl: postgres.url,
    redisUrl,
    secret: SECRET,
    log,
    models: {},
    kms: createKms({ secret: SECRET }),
    allowLocalAgents: false,
  }
  const workers = hasWorkers ? await startWorkers(data, options, lifecycle) : undefined
  // The starter is this process and wakes its own workers directly; the lane is nudged as well, and its cost counts.
  const lanes = lifecycle.own(
    await createLanes({ redisUrl, postgresUrl: roleUrl(postgres.url, 'queue', SECRET) }, log),
  )
  const wake = (): void => {
    workers?.wake()
    lanes.nudge(TASK_LANE)
  }
  const services = { database: data.database, wake }

  const runAs =
    (who: Actor): EngineWorld['run'] =>
    async (count, workflowName = 'noop', input = {}) => {
      const ended = endsOf(data, who, count)
      for (let left = count; left > 0; left -= 500) {
        const requests = Array.from({ length: Math.min(left, 500) }, () => ({ workflowName, input }))
        await startRuns(services, who, requests, String)
      }
      await ended
    }

  return {
    url: postgres.url,
    data,
    actor,
    run: runAs(actor),
    neighbour: { run: runAs(other) },
    addHistory: (runs) =>
      asOwner(postgres.url, async (client) => {
        await addHistory(client, actor.organizationId, runs)
        // Its events came at once: the tail and the consumers have to be through with them.
        await untilConsumed(client)
      }),
    written: () => asOwner(postgres.url, readWritten),
    storeCpu: () => cpuOfChildren(postgres.pid),
    async [Symbol.asyncDispose]() {
      await lifecycle.stop()
      await postgres[Symbol.asyncDispose]()
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
  const fanout = `
format: tutti/1
name: fanout
inputs: [items]
steps:
  - name: each
    type: map
    over: items
    as: item
    output: results
    steps:
      - { name: work, agent: noop_agent, input: item, output: worked }
`
  await applyWorkflow({ database: data.database }, actor, fanout)
}

async function prepareSlow(data: Data, actor: Actor, url: string): Promise<void> {
  const agent = `
metadata: { name: slow_agent, type: bench.slow, version: 1.0.0 }
capabilities: [waiting]
executor: { type: http, url: "${url}" }`
  await registerAgent({ database: data.database }, actor, { document: agent })
  const steps = Array.from(
    { length: STEPS },
    (_, index) => `  - { name: step_${index + 1}, agent: slow_agent }`,
  )
  await applyWorkflow({ database: data.database }, actor, `name: slow\nsteps:\n${steps.join('\n')}\n`)
}

async function asOwner<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

async function addHistory(client: pg.Client, organizationId: string, runs: number): Promise<void> {
  await client.query(
    `with version as (
      select v.organization_id, v.workflow_id, v.id from workflow_version v
      join workflow w on w.organization_id = v.organization_id and w.id = v.workflow_id
      where w.organization_id = $1 and w.name = 'noop' limit 1
    ), old as (
      insert into run (organization_id, workflow_id, version_id, status, input, output, started_by, ended_at)
      select v.organization_id, v.workflow_id, v.id, 'completed', '{}', '{}', '{}', now()
      from version v, generate_series(1, $2::int) returning organization_id, id
    ), steps as (
      insert into task (organization_id, run_id, step_path, node_id, kind, agent_name, status, attempt, input, timeout_ms,
        started_at, ended_at)
      select o.organization_id, o.id, 'step_' || n, 'step_' || n, 'agent', 'noop_agent', 'completed', 1, '{}', 60000,
        now(), now() from old o, generate_series(1, ${STEPS}) n
      returning organization_id, id, run_id, step_path
    )
    insert into log.event (organization_id, type, subject, actor, data, run_id)
    select s.organization_id, e.type, 'task/' || s.id, '{"id": "system:worker", "kind": "system", "name": "worker"}',
      jsonb_build_object('runId', s.run_id, 'taskId', s.id, 'stepPath', s.step_path), s.run_id
    from steps s, unnest(array['task.started', 'task.completed']) as e(type)`,
    [organizationId, runs],
  )
  // What grew over months has been vacuumed and written out long since.
  await client.query('vacuum (analyze) run, task, log.event')
  await client.query('checkpoint')
}

async function untilConsumed(client: pg.Client): Promise<void> {
  const behind = 'select from log.consumer where seq < (select max(seq) from log.event)'
  while ((await client.query(behind)).rowCount !== 0) await new Promise((resolve) => setTimeout(resolve, 200))
}

async function readWritten(client: pg.Client): Promise<{ walBytes: number; commits: number }> {
  // Backends report what they did at most once a second.
  await new Promise((resolve) => setTimeout(resolve, 1_100))
  const { rows } = await client.query<{ wal: string; commits: string }>(
    `select (select wal_bytes from pg_stat_wal)::text as wal,
       (select sum(xact_commit) from pg_stat_database)::text as commits`,
  )
  return { walBytes: Number(rows[0]?.wal), commits: Number(rows[0]?.commits) }
}

const TICKS_PER_SECOND = 100

/** User and system time of a process and its children, those that ended too, from /proc, in seconds. */
function cpuOfChildren(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)
  const own = ticksOf(String(pid))
  const ticks = own.self + own.ended + children.reduce((sum, each) => sum + ticksOf(each).self, 0)
  return ticks / TICKS_PER_SECOND
}

/** Of a process, and of its children that it waited for; nothing once it has ended. */
function ticksOf(pid: string): { self: number; ended: number } {
  try {
    // The name, in brackets, may hold blanks: what is counted stands behind it.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ').map(Number) ?? []
    const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15)
    return { self: user + system, ended: endedUser + endedSystem }
  } catch {
    return { self: 0, ended: 0 }
  }
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
