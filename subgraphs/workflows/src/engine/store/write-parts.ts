import { LEASE_SECONDS } from './lease-seconds.ts'

const OVER = `('completed','failed','cancelled','skipped')`
const IS_ENOUGH = 'p.pending - a.n <= 0 or p.needed - a.good <= 0 or (p.fail_fast and a.n > a.good)'

export const TASK_COLUMNS = `organization_id, id, run_id, step_path, generation, node_id, kind, agent_id, agent_name, status,
    attempt, input, timeout_ms, parent_id, position, arrival, output, error, approval_id, cost_usd,
    started_at, ended_at, assignment, recovery, agent_version`
const TASK_VALUES = `x.o, n.id, x.run, n.path, coalesce(n.generation, 0), n.node, n.kind, n.agent_id, n.agent, n.status,
    coalesce(n.attempt, 0), n.input, coalesce(n.timeout_ms, 0), n.parent, n.position, n.arrival, n.output, n.error,
    n.approval, coalesce(n.cost, 0),
    case when n.attempt > 0 then clock_timestamp() end,
    case when n.status in ${OVER} then clock_timestamp() end, n.assignment, n.recovery, n.agent_version`
const TASK_RECORD = `n(id uuid, path text, generation int, node text, kind text, agent text,
    agent_id uuid, status text, attempt int, input jsonb, timeout_ms int, parent uuid, position int, arrival jsonb,
    output jsonb, error jsonb, approval uuid, cost numeric, assignment jsonb, recovery jsonb, agent_version int)`
const STRAND_COLUMNS = `organization_id, id, run_id, workflow_id, parent_id, parent_task_id, compound, key, position, path,
    state, task_id, agent_id, status, due_at, fence, claim_id, resume, wait_key, pending, needed, fail_fast, width, limit_key,
    priority, generation`
const STRAND_VALUES = `x.o, n.id, coalesce(n.run, x.run), n.workflow, n.parent, n.parent_task, n.compound, n.key,
    n.position, coalesce(n.path, ''), coalesce(n.state, '{}'), n.task, n.agent, n.status,
    case when n.status = 'running' then clock_timestamp() + interval '${LEASE_SECONDS} seconds'
      else coalesce(n.due_at, clock_timestamp() + n.due_ms * interval '1 millisecond') end,
    case when n.claim is null then 0 else 1 end, n.claim, n.resume, n.wait, coalesce(n.pending, 0),
    coalesce(n.needed, 0), coalesce(n.fast, false), n.width, n.limit_key, coalesce(n.priority, 0),
    coalesce(n.generation, 0)`
const STRAND_RECORD = `n(id uuid, run uuid, workflow uuid, parent uuid, parent_task uuid, compound text, key text,
    position int, path text, state jsonb, task uuid, agent uuid, status text, due_at timestamptz, due_ms float8,
    claim uuid, resume jsonb, wait text, pending int, needed int, fast bool, width int, limit_key text, priority int,
    generation int)`

/** The parts of the statement that starts runs share these columns. */
export const ROWS = {
  TASK_COLUMNS,
  TASK_VALUES,
  TASK_RECORD,
  STRAND_COLUMNS,
  STRAND_VALUES,
  STRAND_RECORD,
} as const

/** What hangs on the gate. A part costs some 20 µs a statement even when it has nothing to do. */
export const PARTS = {
  moved: `
moved as (
  update strand s set status = x.status, fence = s.fence + 1, task_id = x.task, agent_id = x.agent,
    due_at = case when x.keep then s.due_at
      else coalesce(x.due_at, clock_timestamp() + x.due_ms * interval '1 millisecond') end,
    claim_id = case when x.keep then s.claim_id end, recoveries = coalesce(x.recoveries, 0),
    state = case when x.patch is null then s.state else s.state || x.patch end, resume = x.resume, wait_key = x.wait,
    pending = coalesce(x.pending, 0), needed = coalesce(x.needed, 0), fail_fast = coalesce(x.fast, false), width = x.width
  from gate x where s.id = x.id and s.organization_id is not distinct from x.o and x.gone is not true
)`,
  gone: `
gone as (
  delete from strand s using gate x where s.id = x.id and s.organization_id is not distinct from x.o and x.gone
)`,
  settled: `
settled as (
  update task t set status = x.t_status, output = coalesce(x.t_output, t.output), error = x.t_error,
    cost_usd = t.cost_usd + coalesce(x.t_cost, 0), arrival = coalesce(x.t_arrival, t.arrival),
    approval_id = coalesce(x.t_approval, t.approval_id),
    agent_id = coalesce((x.t_agent->>'id')::uuid, t.agent_id), agent_name = coalesce(x.t_agent->>'name', t.agent_name),
    agent_version = case when x.t_agent is null then coalesce(x.t_version, t.agent_version) end,
    assignment = coalesce(x.t_agent->'assignment', t.assignment),
    recovery = case when x.t_recovery is null then t.recovery else coalesce(t.recovery, '[]') || x.t_recovery end,
    ended_at = case when x.t_over then clock_timestamp() end
  from gate x where t.id = x.t_id and t.organization_id is not distinct from x.o
)`,
  begun: `
begun as (
  insert into task (${TASK_COLUMNS}) select ${TASK_VALUES}
  from gate x, jsonb_to_recordset(x.tasks) as ${TASK_RECORD}
)`,
  runMoved: `
run_moved as (
  update run r set status = x.r_status, output = coalesce(x.r_output, r.output), error = coalesce(x.r_error, r.error),
    state = coalesce(x.r_state, r.state), cost_usd = r.cost_usd + coalesce(x.t_cost, 0),
    ended_at = case when x.r_over then clock_timestamp() end
  from gate x where x.r_status is not null and r.id = x.run and r.organization_id is not distinct from x.o
)`,
  runPaid: `
run_paid as (
  update run r set cost_usd = r.cost_usd + c.cost
  from (select o, run, sum(t_cost) as cost from gate where r_status is null and t_cost > 0 group by o, run) c
  where r.id = c.run and r.organization_id is not distinct from c.o
)`,
  told: `
told as (
  insert into log.event (organization_id, type, subject, actor, data, run_id)
  select x.o, e.type, e.subject, $2::jsonb, e.data, x.run
  from gate x, jsonb_to_recordset(x.events) as e(type text, subject text, data jsonb)
)`,
  spread: `
spread as (
  insert into strand (${STRAND_COLUMNS}) select ${STRAND_VALUES}
  from gate x, jsonb_to_recordset(x.strands) as ${STRAND_RECORD}
)`,
  subruns: `
subruns as (
  insert into run (organization_id, id, workflow_id, version_id, status, input, started_by, priority, depth,
    parent_run_id, parent_task_id, parent_strand_id, paused_with_parent, timeout_ms)
  select x.o, n.id, n.workflow, n.version, case when n.paused then 'paused' else 'queued' end, n.input,
    n.started_by, n.priority, n.depth, n.parent_run, n.parent_task, n.parent_strand, coalesce(n.paused, false),
    (select (v.definition->>'timeoutMs')::bigint from workflow_version v
      where v.organization_id = x.o and v.id = n.version)
  from gate x, jsonb_to_recordset(x.runs) as n(id uuid, workflow uuid, version uuid, input jsonb,
    started_by jsonb, priority int, depth int, parent_run uuid, parent_task uuid, parent_strand uuid, paused bool)
)`,
  woken: `
woken as (
  update strand s set status = 'ready', due_at = clock_timestamp(), fence = s.fence + 1, resume = w.resume, wait_key = null
  from gate x join run c on c.id = x.run and c.organization_id is not distinct from x.o
  cross join jsonb_to_recordset(x.wakes) as w(strand uuid, resume jsonb)
  where s.id = w.strand and s.organization_id is not distinct from x.o and s.status = 'waiting'
    and s.task_id = c.parent_task_id
)`,
  parents: `
parents as (
  update strand p set pending = p.pending - a.n, needed = p.needed - a.good,
    status = case when ${IS_ENOUGH} then 'ready' else p.status end,
    due_at = case when ${IS_ENOUGH} then clock_timestamp() else p.due_at end
  from (select o, parent, count(*)::int as n, count(*) filter (where ok)::int as good from gate
    where parent is not null group by o, parent) a
  where p.id = a.parent and p.organization_id is not distinct from a.o and p.status = 'waiting'
  returning p.organization_id, p.id, p.status = 'ready' as woken, p.width is not null as bounded
)`,
} as const

export const ANSWER = `
select id, 'written' as what, null::uuid as o from gate`
export const PARENTS_ANSWER = `
union all select id, case when woken then 'woken' else 'roomy' end, organization_id from parents where woken or bounded`
