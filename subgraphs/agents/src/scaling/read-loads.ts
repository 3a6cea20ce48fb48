import type { Database } from '@tutti/prisma'
import { needsOf } from '../lifecycle/needs-of.ts'
import type { AgentLoad, ScalingState } from './decide-scale.ts'
import { policyOf, resourceManagementOf, type ScalingPolicy } from './scaling-policy.ts'

/** An agent with instances: what it has to do, how it stands, and how it is scaled. */
export interface LoadOfAgent {
  organizationId: string
  agentId: string
  type: string
  load: AgentLoad
  state: ScalingState
  policy: ScalingPolicy
}

interface Row extends AgentLoad {
  organizationId: string
  agentId: string
  type: string
  slots: number
  configuration: unknown
  scaledAt: Date | null
  policy: unknown
  settings: unknown
}

/** Attempts of which the response time is taken, if they ended in the last five minutes. */
const ATTEMPTS = 200

/**
 * The load of all agents of all tenants that have instances, in one statement. What is under way is counted as the limits
 * count it: what a worker outside was given too.
 */
export async function readLoads({ database }: { database: Database }): Promise<LoadOfAgent[]> {
  const { rows } = await database.pool('worker').query<Row>(
    `with bound as materialized (
       select l.organization_id, a.id, a.type, l.max_running as slots, s.scaled_at, s.policy,
         jsonb_build_object('resource_requirements', coalesce(a.configuration->'resource_requirements', '{}')) as configuration
       from engine_limit l
       join agent a on a.organization_id = l.organization_id and a.id::text = l.subject and a.status = 'active'
       left join agent_scaling s on s.organization_id = a.organization_id and s.id = a.id
       where l.source = 'instances' and l.max_running > 0
     ), tenant as materialized (
       select b.organization_id, ${resourceManagementOf('b')} as settings
       from (select distinct organization_id from bound) b
     ), work as materialized (
       select s.organization_id, s.agent_id,
         count(*) filter (where s.status = 'running' or s.status = 'waiting' and starts_with(s.wait_key, 'worker:')) as running,
         count(*) filter (where s.status = 'ready' and s.due_at <= clock_timestamp()) as queued
       from tenant t join strand s on s.organization_id = t.organization_id
       where s.agent_id is not null group by 1, 2
     )
     select b.organization_id as "organizationId", b.id as "agentId", b.type, b.slots, b.scaled_at as "scaledAt", b.policy,
       b.configuration, t.settings, coalesce(w.running, 0)::int as running, coalesce(w.queued, 0)::int as queued,
       r.p95 as "responseP95Ms"
     from bound b join tenant t on t.organization_id = b.organization_id
     left join work w on w.organization_id = b.organization_id and w.agent_id = b.id
     left join lateral (
       select percentile_cont(0.95) within group (order by extract(epoch from x.ended_at - x.started_at) * 1000) as p95
       from (select k.started_at, k.ended_at from task k where k.organization_id = b.organization_id and k.agent_id = b.id
         order by k.id desc limit ${ATTEMPTS}) x
       where x.ended_at > clock_timestamp() - interval '5 minutes'
     ) r on true
     order by b.organization_id, b.type, b.id`,
  )
  const loads = rows.map(({ settings, policy, configuration, scaledAt, slots, ...row }): LoadOfAgent => {
    const { tasks } = needsOf(configuration)
    const { organizationId, agentId, type, running, queued, responseP95Ms } = row
    return {
      organizationId,
      agentId,
      type,
      load: { running, queued, responseP95Ms },
      state: {
        instances: Math.max(1, Math.round(slots / tasks)),
        tasksPerInstance: tasks,
        othersOfType: 0,
        scaledAt: scaledAt?.getTime() ?? null,
      },
      policy: policyOf(settings, policy),
    }
  })
  return withOthers(loads)
}

/** Says of each how many instances the others of its type have. */
function withOthers(loads: readonly LoadOfAgent[]): LoadOfAgent[] {
  const totals = new Map<string, number>()
  for (const { organizationId, type, state } of loads) {
    const key = `${organizationId}/${type}`
    totals.set(key, (totals.get(key) ?? 0) + state.instances)
  }
  return loads.map((each) => {
    const total = totals.get(`${each.organizationId}/${each.type}`) ?? 0
    return { ...each, state: { ...each.state, othersOfType: total - each.state.instances } }
  })
}

/** Keeps what was looked at, by the minute. */
export async function keepLoads(
  { database }: { database: Database },
  loads: readonly LoadOfAgent[],
): Promise<void> {
  if (loads.length === 0) return
  await database.pool('worker').query(
    `insert into agent_load as kept (organization_id, agent_id, minute, samples, instances, slots, running_average, running_max,
       queued, queued_max, response_p95_ms)
     select x.organization, x.agent, date_trunc('minute', clock_timestamp()), 1, x.instances, x.slots, x.running, x.running,
       x.queued, x.queued, x.p95
     from unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[], $5::int[], $6::int[], $7::float8[])
       as x (organization, agent, instances, slots, running, queued, p95)
     on conflict (organization_id, agent_id, minute) do update set samples = kept.samples + 1, instances = excluded.instances,
       slots = excluded.slots, queued = excluded.queued, response_p95_ms = excluded.response_p95_ms,
       running_average = (kept.running_average * kept.samples + excluded.running_average) / (kept.samples + 1),
       running_max = greatest(kept.running_max, excluded.running_max), queued_max = greatest(kept.queued_max, excluded.queued_max)`,
    [
      loads.map(({ organizationId }) => organizationId),
      loads.map(({ agentId }) => agentId),
      loads.map(({ state }) => state.instances),
      loads.map(({ state }) => state.instances * state.tasksPerInstance),
      loads.map(({ load }) => load.running),
      loads.map(({ load }) => load.queued),
      loads.map(({ load }) => load.responseP95Ms),
    ],
  )
}
