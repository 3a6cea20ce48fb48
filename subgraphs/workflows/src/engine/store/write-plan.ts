import type { Actor, NewEvent } from '@tutti/schema'
import type pg from 'pg'

/** Seconds a claim holds without renewal, on the database's clock. */
export const LEASE_SECONDS = 5

/** A task row that changes; its fence moves with every change, so that a late answer finds nothing. */
export interface TaskChange {
  o: string
  id: string
  status: 'ready' | 'waiting' | 'completed' | 'failed' | 'cancelled'
  output?: unknown
  error?: { code: string; message: string } | null
  /** Ready again after this long, milliseconds. */
  delay_ms?: number
  approval?: string
  cost?: number
  /** Merged into the input: the decision a resumed task was waiting for. */
  input?: Record<string, unknown>
  /** Its place in the queue, ISO 8601; now unless said. */
  since?: string
  /** Added to the attempt; a resumed task does not pay for its wait. */
  attempt_delta?: number
}

/** A new task row; with `claim`, it is the writer's at once and the next claim passes it by. */
export interface TaskCreation {
  o: string
  id: string
  run: string
  path: string
  node: string
  kind: 'agent' | 'review'
  agent: string | null
  agent_id: string | null
  status: 'ready' | 'waiting'
  input: Record<string, unknown>
  timeout_ms: number
  delay_ms: number
  /** Its place in the queue, ISO 8601: the run's start, so that older runs end first; null is now. */
  since: string | null
  claim: string | null
}

/** A run row that changes. `patch` is merged into its state. */
export interface RunChange {
  o: string
  id: string
  status: string
  patch: Record<string, unknown>
  output?: unknown
  error?: { code: string; message: string } | null
  cost?: number
  over: boolean
}

/** Everything one moment writes, for any number of tasks, runs and tenants. */
export interface WritePlan {
  tasks: TaskChange[]
  creations: TaskCreation[]
  runs: RunChange[]
  events: { o: string; actor: Pick<Actor, 'id' | 'kind' | 'name'>; event: NewEvent }[]
}

export const emptyPlan = (): WritePlan => ({ tasks: [], creations: [], runs: [], events: [] })

const OVER = `('completed','failed','cancelled')`

const WRITE = {
  name: 'engine-write',
  text: `
with changed as (
  update task t set
    status = x.status, output = coalesce(x.output, t.output), error = x.error,
    input = t.input || coalesce(x.input, '{}'), attempt = t.attempt + coalesce(x.attempt_delta, 0),
    fence = t.fence + 1, claim_id = null, lease_expires_at = null,
    ready_at = coalesce(x.since, clock_timestamp()) + coalesce(x.delay_ms, 0) * interval '1 millisecond',
    approval_id = coalesce(x.approval, t.approval_id), cost_usd = t.cost_usd + coalesce(x.cost, 0),
    ended_at = case when x.status in ${OVER} then clock_timestamp() end
  from jsonb_to_recordset($1::jsonb) as x(o uuid, id uuid, status text, output jsonb, error jsonb, delay_ms float8,
    approval uuid, cost numeric, input jsonb, since timestamptz, attempt_delta int)
  where t.id = x.id and t.organization_id is not distinct from x.o
), moved as (
  update run r set
    status = x.status, state = r.state || x.patch, output = coalesce(x.output, r.output),
    error = coalesce(x.error, r.error), cost_usd = r.cost_usd + coalesce(x.cost, 0),
    ended_at = case when x.over then clock_timestamp() end
  from jsonb_to_recordset($2::jsonb) as x(o uuid, id uuid, status text, patch jsonb, output jsonb, error jsonb,
    cost numeric, over boolean)
  where r.id = x.id and r.organization_id is not distinct from x.o
), created as (
  insert into task (organization_id, id, run_id, step_path, node_id, kind, agent_id, agent_name, status, attempt,
    input, timeout_ms, ready_at, fence, claim_id, lease_expires_at, started_at)
  select x.o, x.id, x.run, x.path, x.node, x.kind, x.agent_id, x.agent,
    case when x.claim is null then x.status else 'running' end, case when x.claim is null then 0 else 1 end,
    x.input, x.timeout_ms, coalesce(x.since, clock_timestamp()) + x.delay_ms * interval '1 millisecond',
    case when x.claim is null then 0 else 1 end, x.claim,
    case when x.claim is not null then clock_timestamp() + interval '${LEASE_SECONDS} seconds' end,
    case when x.claim is not null then clock_timestamp() end
  from jsonb_to_recordset($3::jsonb) as x(o uuid, id uuid, run uuid, path text, node text, kind text, agent text,
    agent_id uuid, status text, input jsonb, timeout_ms int, delay_ms float8, since timestamptz,
    claim uuid)
)
insert into log.event (organization_id, type, subject, actor, data)
select (e->>'o')::uuid, e->'event'->>'type', e->'event'->>'subject', e->'actor', e->'event'->'data'
from jsonb_array_elements($4::jsonb) with ordinality as t(e, n) order by n`,
}

/**
 * Writes a plan in one statement. The rows it changes must be locked by the caller's transaction, so that an event
 * draws its number after its subject is locked. A step and its successor are never completed by the same plan.
 */
export async function writePlan(client: pg.ClientBase, plan: WritePlan): Promise<void> {
  await client.query({
    ...WRITE,
    values: [
      JSON.stringify(plan.tasks),
      JSON.stringify(plan.runs),
      JSON.stringify(plan.creations),
      JSON.stringify(plan.events),
    ],
  })
}
