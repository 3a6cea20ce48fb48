import { eventActor } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import type pg from 'pg'
import type { CoreEvent, RunStatus, TaskStatus } from '../core/index.ts'
import { LEASE_SECONDS } from './lease-seconds.ts'

/** A strand as it was claimed; its run's input and the states around it may still have to be read. */
export interface ClaimedRow {
  organization_id: string
  id: string
  fence: bigint
  run_id: string
  limit_key: string | null
  parent_id: string | null
  parent_task_id: string | null
  compound: string | null
  key: string | null
  position: number | null
  path: string
  state: Record<string, unknown>
  resume: CoreEvent | null
  strand_generation: number
  recoveries: number
  /** True when its deadline or timer passed. */
  timed: boolean
  /** Whether any order to stop stands in its organization. */
  ordered: boolean
  epoch: number
  run_status: RunStatus
  run_input: Record<string, unknown> | null
  run_created_at: string
  run_priority: number
  run_depth: number
  parent_strand_id: string | null
  workflow_id: string
  workflow_name: string
  version_id: string
  task_id: string | null
  node_id: string | null
  step_path: string | null
  kind: string | null
  task_status: TaskStatus | null
  generation: number | null
  attempt: number | null
  input: Record<string, unknown> | null
  timeout_ms: number | null
  agent_id: string | null
  agent_name: string | null
  created_ms: number | null
}

/** Inputs above this many bytes are read once a run and not with every claim. */
const SMALL_INPUT = 8_192
const MOST_TENANTS = 200

const COLUMNS = `c.organization_id, c.id, c.fence, c.run_id, c.limit_key, c.parent_id, c.parent_task_id, c.compound, c.key, c.position,
  c.path, c.state, c.resume, c.generation as strand_generation, c.recoveries,
  exists (select from containment k where k.organization_id = c.organization_id and k.lifted_at is null) as ordered, r.epoch, r.status as run_status,
  case when pg_column_size(r.input) <= ${SMALL_INPUT} then r.input end as run_input,
  to_char(r.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as run_created_at, r.priority as run_priority,
  r.depth as run_depth, r.parent_strand_id, r.workflow_id, w.name as workflow_name, r.version_id, t.id as task_id,
  t.node_id, t.step_path, t.kind, t.status as task_status, t.generation, t.attempt, t.input, t.timeout_ms, t.agent_id,
  t.agent_name, extract(epoch from t.created_at)::float8 * 1000 as created_ms`
const JOINS = `join run r on r.id = c.run_id and r.organization_id is not distinct from c.organization_id
  join workflow w on w.id = r.workflow_id and w.organization_id is not distinct from r.organization_id`
const IS_WORK = `(t.kind in ('agent', 'message') and c.resume is null and not c.timed)`

/**
 * Strands whose lease ran out. One that was lost more than once is left alone for a moment, each for another: what kills
 * its worker is then taken up apart from what was merely beside it.
 */
export const IS_LOST = `s.status = 'running' and s.due_at <= clock_timestamp()
  - greatest(s.recoveries - 1, 0) * (0.5 + ascii(right(s.id::text, 1)) % 16 / 16.0) * interval '1 second'`

/**
 * Takes up to $1 strands that are due: ready ones, timers that passed, and leases that ran out (which is no new attempt).
 * It goes from tenant to tenant along the index, at most $1 of each, and takes them in turn: who waits with little is not
 * behind who waits with much. $4 begins the round, $5 leaves tenants out, $6 also looks for leases that ran out. Those
 * come first: work that was begun is not to wait behind all that has not.
 */
const IN_TURN = `
with recursive tenant(o, n) as (
  (select s.organization_id, 1 from strand s where s.due_at is not null and s.organization_id > $4
   order by s.organization_id limit 1)
  union all
  select (select s.organization_id from strand s where s.due_at is not null and s.organization_id > tenant.o
    order by s.organization_id limit 1), tenant.n + 1
  from tenant where tenant.o is not null and tenant.n < ${MOST_TENANTS}
), candidate as materialized (
  select d.id, d.organization_id, d.fence, d.turn, d.due_at from tenant, lateral (
    select s.*, row_number() over (order by s.lost desc, s.due_at) as turn from (
      (select s.id, s.organization_id, s.fence, s.due_at, true as lost from strand s
       where $6 and s.organization_id = tenant.o and ${IS_LOST} limit $1)
      union all
      (select s.id, s.organization_id, s.fence, s.due_at, false from strand s
       where s.organization_id = tenant.o and s.status <> 'running' and s.due_at <= clock_timestamp()
       order by s.due_at limit $1)
    ) s) d
  where tenant.o is not null and tenant.o <> all($5::uuid[])
)`

/** Those that a limit's room was found for; the limits are locked. */
const THESE = `
with candidate as materialized (
  select s.id, s.organization_id, s.fence, 1 as turn, s.due_at from unnest($4::uuid[]) as x(id) join strand s on s.id = x.id
)`

/**
 * The fence is looked at twice: a strand that went on since the statement began would be described by what it was then,
 * without its new task.
 */
const TAKE = `, mine as materialized (
  select s.id, s.organization_id, s.status from (select * from candidate order by turn, due_at limit $1) x
  join strand s on s.id = x.id and s.organization_id is not distinct from x.organization_id
    and s.due_at <= clock_timestamp() and s.fence = x.fence
  where not exists (select from containment where lifted_at is null)
    or not tutti_contained(s.organization_id, s.workflow_id, s.agent_id, s.run_id)
  order by s.id for no key update of s skip locked
), claimed as (
  update strand s set status = 'running', claim_id = $2, fence = s.fence + 1,
    recoveries = s.recoveries + case when m.status = 'running' then 1 else 0 end,
    due_at = clock_timestamp() + interval '${LEASE_SECONDS} seconds'
  from mine m where s.id = m.id and s.organization_id is not distinct from m.organization_id
  returning s.*, m.status = 'waiting' as timed, m.status = 'running' as lost
), described as (
  select ${COLUMNS}, c.timed, c.lost, ${IS_WORK} as work
  from claimed c ${JOINS}
  left join task t on t.id = c.task_id and t.organization_id is not distinct from c.organization_id
), begun as (
  update task t set status = 'running', started_at = clock_timestamp(),
    attempt = t.attempt + case when d.lost then 0 else 1 end
  from described d where t.id = d.task_id and t.organization_id is not distinct from d.organization_id and d.work
    and d.run_status in ('running', 'waiting')
), told as (
  insert into log.event (organization_id, type, subject, actor, data, run_id)
  select organization_id, 'task.started', 'task/' || task_id, $3::jsonb, jsonb_build_object('runId', run_id,
    'workflowId', workflow_id, 'workflowName', workflow_name, 'taskId', task_id, 'stepPath', step_path,
    'agentId', agent_id, 'attempt', attempt + case when lost then 0 else 1 end), run_id
  from described where work and run_status in ('running', 'waiting') order by id
)
select *, case when work and not lost then attempt + 1 else attempt end as attempt from described`

type Client = Pick<pg.ClientBase, 'query'>

/** Claims for one worker. An empty answer means that nothing is due for it now. */
export async function claimStrands(
  client: Client,
  request: {
    limit: number
    claim: string
    actor: Pick<Actor, 'id' | 'kind' | 'name'>
    /** The tenant after which the round begins; the first unless said. */
    after?: string
    /** Tenants that are passed by. */
    without?: readonly string[]
    /** Whether leases that ran out are looked for; yes unless said. */
    lost?: boolean
  },
): Promise<ClaimedRow[]> {
  const { limit, claim, actor, after = NOBODY, without = [], lost = true } = request
  const { rows } = await client.query<ClaimedRow>({
    name: 'engine-claim',
    text: IN_TURN + TAKE,
    values: [limit, claim, JSON.stringify(eventActor(actor)), after, without, lost],
  })
  return rows
}

/** Claims these strands, if they are still due; in the transaction that found room for them. */
export async function claimThese(
  client: Client,
  {
    ids,
    claim,
    actor,
  }: { ids: readonly string[]; claim: string; actor: Pick<Actor, 'id' | 'kind' | 'name'> },
): Promise<ClaimedRow[]> {
  if (ids.length === 0) return []
  const { rows } = await client.query<ClaimedRow>({
    name: 'engine-claim-these',
    text: THESE + TAKE,
    values: [ids.length, claim, JSON.stringify(eventActor(actor)), ids],
  })
  return rows
}

const NOBODY = '00000000-0000-0000-0000-000000000000'

/** Reads strands again that this process holds; those that are not its any more are missing. */
export async function rereadStrands(
  pool: pg.Pool,
  held: readonly { id: string; fence: bigint }[],
): Promise<ClaimedRow[]> {
  const { rows } = await pool.query<ClaimedRow>({
    name: 'engine-reread',
    text: `select ${COLUMNS}, false as timed from unnest($1::uuid[], $2::bigint[]) as x(id, fence)
      join strand c on c.id = x.id and c.fence = x.fence and c.status = 'running' ${JOINS}
      left join task t on t.id = c.task_id and t.organization_id is not distinct from c.organization_id`,
    values: [held.map(({ id }) => id), held.map(({ fence }) => fence)],
  })
  return rows
}

/** Renews the leases of all strands a worker holds, in one statement; answers with the ids it no longer holds. */
export async function renewLeases(
  pool: pg.Pool,
  held: readonly { id: string; fence: bigint }[],
): Promise<string[]> {
  if (held.length === 0) return []
  const { rows } = await pool.query<{ id: string }>({
    name: 'engine-renew',
    // Locked in the order in which everybody locks strands: who is told to stop is renewed at the same moment.
    text: `with mine as materialized (
        select s.id, s.organization_id from unnest($1::uuid[], $2::bigint[]) as x(id, fence)
        join strand s on s.id = x.id and s.fence = x.fence and s.status = 'running'
        order by s.id for no key update of s
      )
      update strand s set due_at = clock_timestamp() + interval '${LEASE_SECONDS} seconds'
      from mine m where s.id = m.id and s.organization_id is not distinct from m.organization_id returning s.id`,
    values: [held.map(({ id }) => id), held.map(({ fence }) => fence)],
  })
  const kept = new Set(rows.map((row) => row.id))
  return held.flatMap(({ id }) => (kept.has(id) ? [] : [id]))
}

/**
 * What a process lost because it could not renew, and outlived, did not kill it: such losses do not count, also when they
 * are forgiven before somebody claims the strand.
 */
export async function forgiveLosses(pool: pg.Pool, ids: readonly string[]): Promise<void> {
  await pool.query({
    name: 'engine-forgive',
    text: `with mine as materialized (
        select s.id, s.organization_id from strand s where s.id = any($1) order by s.id for no key update of s
      )
      update strand s set recoveries = greatest(s.recoveries - 1, -1) from mine m
      where s.id = m.id and s.organization_id is not distinct from m.organization_id`,
    values: [ids],
  })
}

/** Milliseconds until the next strand is due, or null when none is within a minute. */
export async function untilNextDue(pool: pg.Pool): Promise<number | null> {
  const { rows } = await pool.query<{ ms: number | null }>({
    name: 'engine-next',
    text: `with recursive tenant(o, n) as (
      (select s.organization_id, 1 from strand s where s.due_at is not null order by s.organization_id limit 1)
      union all
      select (select s.organization_id from strand s where s.due_at is not null and s.organization_id > tenant.o
        order by s.organization_id limit 1), tenant.n + 1
      from tenant where tenant.o is not null and tenant.n < ${MOST_TENANTS}
    )
    select extract(epoch from min(d.due_at) - clock_timestamp())::float8 * 1000 as ms from tenant, lateral (
      select s.due_at from strand s where s.organization_id = tenant.o and s.status <> 'running'
        and s.due_at between clock_timestamp() and clock_timestamp() + interval '1 minute' order by s.due_at limit 1) d`,
  })
  return rows[0]?.ms ?? null
}
