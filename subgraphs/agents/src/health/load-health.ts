import { isId } from '@tutti/runtime'
import type { Context } from '../context.ts'

/** How an agent is. */
export interface HealthRow {
  id: string
  status: 'unknown' | 'healthy' | 'unhealthy'
  since: Date | null
  lastCheckAt: Date | null
  consecutiveFailures: number
  consecutiveSuccesses: number
  lastError: string | null
  running: number
  slots: number
  queueLength: number
}

/** Of an agent of which nothing says how many tasks it may have under way. */
const SLOTS = 10

/** How agents are, by the agent's id, in one read. */
export async function loadHealth(
  { database, actor }: Context,
  agentIds: readonly string[],
): Promise<ReadonlyMap<string, HealthRow>> {
  const rows = await database.readTenant<HealthRow>(
    actor,
    `select a.id, coalesce(h.status, 'unknown') as status, case when h.status <> 'unknown' then h.since end as since,
       h.last_check_at as "lastCheckAt", coalesce(h.failures, 0) as "consecutiveFailures",
       coalesce(h.successes, 0) as "consecutiveSuccesses", h.last_error as "lastError",
       coalesce(l.running, 0)::int as running, coalesce(l.queued, 0)::int as "queueLength",
       coalesce(nullif(e.max_running, 0), (a.configuration->'resource_requirements'->>'max_concurrent_tasks')::int,
         ${SLOTS})::int as slots
     from agent a
     left join agent_health h on h.organization_id = a.organization_id and h.id = a.id
     left join engine_limit e on e.organization_id = a.organization_id and e.source = 'instances' and e.name = a.id::text
     left join (select agent_id, count(*) filter (where status = 'running') as running,
         count(*) filter (where status = 'ready' or status = 'waiting' and starts_with(wait_key, 'worker:')) as queued
       from strand where organization_id = $1::uuid and agent_id = any($2::uuid[]) group by agent_id) l on l.agent_id = a.id
     where a.organization_id = $1::uuid and a.id = any($2::uuid[])`,
    [actor.organizationId, agentIds.filter(isId)],
  )
  return new Map(rows.map((row) => [row.id, row]))
}

/** How all agents of the organization are together. */
export interface SystemHealthRow {
  status: HealthRow['status']
  agents: number
  healthy: number
  unhealthy: number
  openBreakers: number
  running: number
  queueLength: number
}

export async function systemHealth({ database, actor }: Context): Promise<SystemHealthRow> {
  const [row] = await database.readTenant<Omit<SystemHealthRow, 'status'>>(
    actor,
    `select (select count(*) from agent where organization_id = $1::uuid and retired_at is null)::int as agents,
       (select count(*) from agent_health where organization_id = $1::uuid and status = 'healthy')::int as healthy,
       (select count(*) from agent_health where organization_id = $1::uuid and status = 'unhealthy')::int as unhealthy,
       (select count(*) from breaker where organization_id = $1::uuid and state <> 'closed')::int as "openBreakers",
       (select count(*) from strand where organization_id = $1::uuid and status = 'running')::int as running,
       (select count(*) from strand where organization_id = $1::uuid and agent_id is not null
         and (status = 'ready' or status = 'waiting' and starts_with(wait_key, 'worker:')))::int as "queueLength"`,
    [actor.organizationId],
  )
  if (!row) throw new Error('A select without a table answered nothing.')
  const bad = row.unhealthy + row.openBreakers > 0
  return { ...row, status: bad ? 'unhealthy' : row.healthy > 0 ? 'healthy' : 'unknown' }
}
