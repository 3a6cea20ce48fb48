import type pg from 'pg'
import { LEASE_SECONDS } from './write-plan.ts'

/** A task under a lease; whoever holds it answers with its fence. */
export interface ClaimedTask {
  organizationId: string
  id: string
  runId: string
  stepPath: string
  agentId: string | null
  agentName: string | null
  attempt: number
  timeoutMs: number
  fence: bigint
  input: Record<string, unknown>
  workflowId: string
  workflowName: string
}

interface ClaimedRow {
  organization_id: string
  id: string
  run_id: string
  step_path: string
  agent_id: string | null
  agent_name: string | null
  attempt: number
  timeout_ms: number
  fence: bigint
  input: Record<string, unknown>
  workflow_id: string
  workflow_name: string
}

/**
 * Takes up to $1 tasks: those whose time has come, and those whose worker has let its lease run out (which is no new
 * attempt). Batches are built round robin over tenants. The start is recorded in the same statement.
 */
const CLAIM = {
  name: 'engine-claim',
  text: `
with candidate as materialized (
  (select organization_id, id, run_id, ready_at from task
   where status = 'ready' and ready_at <= clock_timestamp() order by ready_at, id limit $1 * 4)
  union all
  (select organization_id, id, run_id, ready_at from task
   where status = 'running' and lease_expires_at < clock_timestamp() order by lease_expires_at limit $1)
), ranked as (
  select c.organization_id, c.id, row_number() over (partition by c.organization_id order by c.ready_at, c.id) as turn
  from candidate c join run r on r.id = c.run_id and r.organization_id is not distinct from c.organization_id
  where r.status in ('running', 'waiting')
  order by turn, c.ready_at limit $1
), mine as (
  select t.organization_id, t.id from ranked x
  join task t on t.id = x.id and t.organization_id is not distinct from x.organization_id
  where (t.status = 'ready' or (t.status = 'running' and t.lease_expires_at < clock_timestamp()))
  order by t.id for no key update of t skip locked
), claimed as (
  update task t set status = 'running', claim_id = $2, fence = t.fence + 1, started_at = clock_timestamp(),
    attempt = t.attempt + case when t.status = 'ready' then 1 else 0 end,
    lease_expires_at = clock_timestamp() + interval '${LEASE_SECONDS} seconds'
  from mine where t.id = mine.id and t.organization_id is not distinct from mine.organization_id
  returning t.*
), described as (
  select c.*, r.workflow_id, w.name as workflow_name from claimed c
  join run r on r.id = c.run_id and r.organization_id is not distinct from c.organization_id
  join workflow w on w.id = r.workflow_id and w.organization_id is not distinct from r.organization_id
), told as (
  insert into log.event (organization_id, type, subject, actor, data)
  select organization_id, 'task.started', 'task/' || id, $3::jsonb, jsonb_build_object('runId', run_id,
    'workflowId', workflow_id, 'workflowName', workflow_name, 'taskId', id, 'stepPath', step_path,
    'agentId', agent_id, 'attempt', attempt)
  from described order by id
)
select organization_id, id, run_id, step_path, agent_id, agent_name, attempt, timeout_ms, fence, input, workflow_id,
  workflow_name from described`,
}

/** Claims for one worker. An empty answer means that nothing is ready for it now. */
export async function claimTasks(
  pool: pg.Pool,
  {
    limit,
    claim,
    actor,
  }: { limit: number; claim: string; actor: { id: string; kind: string; name: string } },
): Promise<ClaimedTask[]> {
  const { rows } = await pool.query<ClaimedRow>({ ...CLAIM, values: [limit, claim, JSON.stringify(actor)] })
  return rows.map((row) => ({
    organizationId: row.organization_id,
    id: row.id,
    runId: row.run_id,
    stepPath: row.step_path,
    agentId: row.agent_id,
    agentName: row.agent_name,
    attempt: row.attempt,
    timeoutMs: row.timeout_ms,
    fence: row.fence,
    input: row.input,
    workflowId: row.workflow_id,
    workflowName: row.workflow_name,
  }))
}

/** Renews the leases of all tasks a worker holds, in one statement; answers with the ids it no longer holds. */
export async function renewLeases(
  pool: pg.Pool,
  held: readonly Pick<ClaimedTask, 'organizationId' | 'id' | 'fence'>[],
): Promise<string[]> {
  if (held.length === 0) return []
  const { rows } = await pool.query<{ id: string }>(
    `update task t set lease_expires_at = clock_timestamp() + interval '${LEASE_SECONDS} seconds'
     from unnest($1::uuid[], $2::uuid[], $3::bigint[]) as x(o, id, fence)
     where t.id = x.id and t.organization_id is not distinct from x.o and t.fence = x.fence returning t.id`,
    [held.map((task) => task.organizationId), held.map((task) => task.id), held.map((task) => task.fence)],
  )
  const kept = new Set(rows.map((row) => row.id))
  return held.flatMap((task) => (kept.has(task.id) ? [] : [task.id]))
}

/** Milliseconds until the next task is due, or null when none waits for its time within a minute. */
export async function untilNextReady(pool: pg.Pool): Promise<number | null> {
  const { rows } = await pool.query<{ ms: number | null }>(
    `select extract(epoch from min(ready_at) - clock_timestamp())::float8 * 1000 as ms from task
     where status = 'ready' and ready_at between clock_timestamp() and clock_timestamp() + interval '1 minute'`,
  )
  return rows[0]?.ms ?? null
}
