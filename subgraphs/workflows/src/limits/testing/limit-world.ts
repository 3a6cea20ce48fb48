import { randomUUID } from 'node:crypto'
import { openTestDatabase, type TestDatabase, testActor } from '@tutti/prisma/testing'
import type { Actor } from '@tutti/schema'
import pg from 'pg'
import type { LimitRule } from '../limit-rule.ts'
import { organizationRule } from '../limit-rule.ts'
import { upsertLimits } from '../replace-limits.ts'

/** A database with queues in it, written directly: what claims see, without the engine around it. */
export interface LimitWorld extends AsyncDisposable {
  database: TestDatabase['database']
  /** Connections of role worker. */
  worker: pg.Pool
  organization(timeZone?: string): Promise<LimitedOrganization>
}

export interface NewStrand {
  workflow: string
  agent?: string | null
  key?: string | null
  status?: 'ready' | 'running'
  /** Seconds from now at which it is due, or its lease ends. */
  due?: number
}

export interface NewRun {
  workflow: string
  key?: string
  priority?: number
  depth?: number
  status?: string
  /** Seconds from now before which nothing happens. */
  startIn?: number
}

export interface LimitedOrganization {
  id: string
  actor: Actor
  workflow(): Promise<string>
  agent(executor?: string, configuration?: object): Promise<string>
  /** Runs under way, with a strand each at an agent's task, or at none. */
  strands(count: number, strand: NewStrand): Promise<string[]>
  /** Runs that were started and have not begun; in the order of their ids. */
  runs(count: number, run: NewRun): Promise<{ id: string; strand: string }[]>
  limit(rule: Partial<LimitRule>): Promise<void>
  sql<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>
}

export async function openLimitWorld(): Promise<LimitWorld> {
  const world = await openTestDatabase()
  const owner = new pg.Pool({ connectionString: world.url, max: 2 })
  return {
    database: world.database,
    worker: world.database.pool('worker'),
    organization: (timeZone = 'UTC') => makeOrganization(world, owner, timeZone),
    async [Symbol.asyncDispose]() {
      await owner.end()
      await world[Symbol.asyncDispose]()
    },
  }
}

async function makeOrganization(
  { database }: TestDatabase,
  owner: pg.Pool,
  timeZone: string,
): Promise<LimitedOrganization> {
  const actor = testActor('admin')
  const id = actor.organizationId
  const sql: LimitedOrganization['sql'] = async (text, values = []) => (await owner.query(text, values)).rows
  const idOf = async (text: string, values: unknown[]): Promise<string> => {
    const [row] = await sql<{ id: string }>(text, values)
    return row?.id ?? ''
  }
  await sql(`insert into organization (organization_id, name, time_zone) values ($1, 'test', $2)`, [
    id,
    timeZone,
  ])
  const versions = new Map<string, string>()
  let limits = 0
  let started = 0

  return {
    id,
    actor,
    sql,
    async workflow() {
      const workflow = await idOf(
        `insert into workflow (organization_id, name, latest_version) values ($1, $2, 1) returning id`,
        [id, randomUUID()],
      )
      const version = await idOf(
        `insert into workflow_version (organization_id, workflow_id, version, source, source_hash, definition)
         values ($1, $2, 1, '', '', '{}') returning id`,
        [id, workflow],
      )
      versions.set(workflow, version)
      return workflow
    },
    agent: (executor = 'http', configuration = {}) =>
      idOf(
        `insert into agent (organization_id, name, type, version, executor, configuration, configuration_hash)
         values ($1, $2, 'test', '1', $3, $4, '') returning id`,
        [id, randomUUID(), { type: executor }, configuration],
      ),
    async strands(count, { workflow, agent = null, key = null, status = 'ready', due = -60 }) {
      const rows = await sql<{ id: string }>(
        `with r as (
           insert into run (organization_id, workflow_id, version_id, status, input, started_by)
           select $1, $2, $3, 'running', '{}', '{}' from generate_series(1, $4) returning id
         )
         insert into strand (organization_id, run_id, workflow_id, task_id, agent_id, limit_key, status, due_at)
         select $1, r.id, $2, uuidv7(), $5, $6, $7, clock_timestamp() + $8 * interval '1 second' from r returning id`,
        [id, workflow, versions.get(workflow), count, agent, key, status, due],
      )
      return rows.map((row) => row.id)
    },
    async runs(count, { workflow, key = null, priority = 0, depth = 0, status = 'queued', startIn = null }) {
      const runs: { id: string; strand: string }[] = []
      for (let index = 0; index < count; index += 1) {
        const run = randomUUID()
        started += 1
        const strand = await idOf(
          `with r as (
             insert into run (organization_id, id, workflow_id, version_id, status, input, started_by, priority, depth,
               start_at, created_at)
             values ($1, $2, $3, $4, $5, '{}', '{}', $6, $7, clock_timestamp() + $8::float8 * interval '1 second',
               now() - interval '1 day' + $9 * interval '1 second')
             returning id, created_at, start_at
           )
           insert into strand (organization_id, run_id, workflow_id, limit_key, status, due_at, priority, created_at, task_id)
           select $1, r.id, $3, $10, case $5 when 'waiting' then 'waiting' when 'paused' then 'held' else 'ready' end,
             case when $5 in ('queued', 'running') then coalesce(r.start_at, clock_timestamp()) end, $6, r.created_at,
             case when $5 <> 'queued' then uuidv7() end from r returning id`,
          [id, run, workflow, versions.get(workflow), status, priority, depth, startIn, started, key],
        )
        runs.push({ id: run, strand })
      }
      return runs
    },
    async limit(rule) {
      limits += 1
      const whole = { ...organizationRule(`limit-${limits}`, 'tasks'), ...rule }
      await database.inTenant(actor, (tx) => upsertLimits(tx, 'api', [whole]))
    },
  }
}

/** One transaction of role worker. */
export async function within<T>(worker: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await worker.connect()
  let failed = true
  try {
    await client.query('begin')
    const result = await work(client)
    await client.query('commit')
    failed = false
    return result
  } finally {
    if (failed) await client.query('rollback').catch(() => undefined)
    client.release()
  }
}

/** Claims strands as a worker does once it knows which: those that are still due and nobody else's. */
export async function claim(client: pg.PoolClient, ids: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `update strand s set status = 'running', due_at = clock_timestamp() + interval '5 seconds', fence = fence + 1
     from (select id from strand where id = any($1::uuid[]) and due_at <= clock_timestamp()
       order by id for no key update skip locked) x where s.id = x.id returning s.id`,
    [ids],
  )
  return rows.map(({ id }) => id)
}
