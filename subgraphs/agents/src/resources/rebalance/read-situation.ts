import { allocationOf, QUOTA_KINDS, quotaUse } from '../../lifecycle/require-room.ts'
import { needsOf } from '../../lifecycle/needs-of.ts'
import { policyOf, resourceManagementOf } from '../../scaling/scaling-policy.ts'
import { predictLoad, WEEKS } from '../forecast/predict-load.ts'
import type { QuotaRow } from '../quotas/quota-row.ts'
import { type LoadOfAgent, naturalLoads, type ShareInTime } from './natural-load.ts'
import type { QuotaRoom, RebalancedAgent, Situation } from './situation.ts'

const HOUR_MS = 3_600_000
/** Load of so many minutes is what is there now. */
const LATELY = 15
/** So many of its last tasks say what part of its work is given by capability, and what one costs. */
const LAST = 200
/** Tasks of a day are counted up to here. */
const MOST_A_DAY = 10_000

/** Reads rows of one tenant, in or outside a transaction. */
export type ReadRows = <Row extends object>(text: string, parameters: readonly unknown[]) => Promise<Row[]>

interface Row {
  agentId: string
  name: string
  type: string
  capabilities: string[]
  instances: number
  configuration: unknown
  teamId: string | null
  domainId: string | null
  isAvailable: boolean
  scaledAt: Date | null
  policy: unknown
  settings: unknown
  tasks: number
  responseP95Ms: number | null
  /** Of its last tasks. */
  byCapability: number
  others: number
  costUsd: number
  tasksPerDay: number
  moneyLeftUsd: number | null
}

/**
 * All agents in service of an organization that have instances, with what they have to do, what they may have and what they
 * cost; and the quotas. Load is as `agent_load` has it, on average of the last 15 whole minutes; where nothing is kept, what is
 * there at this moment. What is expected is predicted from the last weeks.
 */
export async function readSituation(
  organizationId: string,
  read: ReadRows,
  now: number = Date.now(),
): Promise<Situation> {
  const rows = await read<Row>(AGENTS, [organizationId])
  const shares = await read<ShareInTime>(SHARES, [organizationId])
  const agentIds = rows.map(({ agentId }) => agentId)
  const hours = await read<LoadOfAgent>(HOURS, [organizationId, agentIds])
  const minutes = await read<LoadOfAgent>(MINUTES, [organizationId, agentIds])
  const quotas = await read<QuotaRow>(
    `select q.id, q.domain_id as "domainId", q.team_id as "teamId", ${QUOTA_KINDS}
     from agent_quota q ${quotaUse('null')} where q.organization_id = $1::uuid order by q.id`,
    [organizationId],
  )
  const held = shares.filter(({ until }) => until === null)
  const given = (agentId: string): number =>
    held.reduce((sum, share) => (share.agentId === agentId ? sum + share.percent / 100 : sum), 0)
  const movable = new Map(rows.map((row) => [row.agentId, movableOf(row, given(row.agentId))]))
  const partOf = (agentId: string): number => movable.get(agentId) ?? 1
  const byAgent = (loads: readonly LoadOfAgent[]) =>
    Map.groupBy(naturalLoads(loads, shares, partOf), ({ agentId }) => agentId)
  const present = byAgent(minutes)
  const moment = byAgent(rows.map(({ agentId, tasks }) => ({ agentId, at: now, load: tasks })))
  const past = byAgent(hours)
  const agents = rows.map((row): RebalancedAgent => {
    const { agentId, name, type, capabilities, isAvailable, costUsd, moneyLeftUsd } = row
    const policy = policyOf(row.settings, row.policy)
    const needs = needsOf(row.configuration)
    const since = row.scaledAt === null ? Number.POSITIVE_INFINITY : now - row.scaledAt.getTime()
    const known = (past.get(agentId) ?? []).map(({ at, load }) => ({ hour: Math.floor(at / HOUR_MS), load }))
    const expected = predictLoad(known, Math.floor(now / HOUR_MS), 24)
    const lately = present.get(agentId) ?? moment.get(agentId) ?? []
    const part = partOf(agentId)
    return {
      agentId,
      name,
      type,
      capabilities,
      instances: row.instances,
      tasksPerInstance: needs.tasks,
      minInstances: policy.minInstances,
      maxInstances: policy.maxInstances,
      minPerType: policy.minPerType,
      maxPerType: policy.maxPerType,
      scaleUpThreshold: policy.scaleUpThreshold,
      scaleDownThreshold: policy.scaleDownThreshold,
      isScaledByLoad: policy.enabled,
      isAvailable,
      mayShrink: since >= policy.downCooldownMs,
      tasksNow: lately.reduce((sum, { load }) => sum + load, 0) / Math.max(1, lately.length),
      tasksPeak: expected.length === 0 ? null : Math.max(...expected.map(({ load }) => load)),
      movable: part,
      // What it took before its last change says nothing of it now.
      responseP95Ms: since < LATELY * 60_000 ? null : row.responseP95Ms,
      targetResponseMs: policy.targetResponseMs,
      costUsd,
      tasksPerDay: row.tasksPerDay / (1 - part * given(agentId)),
      moneyLeftUsd,
      needs: allocationOf({ instances: 1, needs }),
      quotas: quotas
        .filter(
          ({ teamId, domainId }) =>
            (teamId === null || teamId === row.teamId) && (domainId === null || domainId === row.domainId),
        )
        .map(({ id }) => id),
      shares: held.flatMap(({ agentId: giver, to, percent }) => (giver === agentId ? [{ to, percent }] : [])),
    }
  })
  return { agents, quotas: quotas.map(roomOf) }
}

/** What part of its work is given by capability, counting what others take of it; all of it while nothing is known. */
function movableOf({ byCapability, others }: Row, given: number): number {
  const whole = byCapability / (1 - given)
  return whole + others === 0 ? 1 : whole / (whole + others)
}

const roomOf = ({
  id,
  instances,
  memoryMb,
  cpuCores,
  storageMb,
  bandwidthMbps,
  tasks,
}: QuotaRow): QuotaRoom => {
  const left = ({ most, used }: QuotaRow['tasks']): number | null => (most === null ? null : most - used)
  return {
    id,
    left: {
      instances: left(instances),
      memoryMb: left(memoryMb),
      cpuCores: left(cpuCores),
      storageMb: left(storageMb),
      bandwidthMbps: left(bandwidthMbps),
      tasks: left(tasks),
    },
  }
}

const AGENTS = `select a.id as "agentId", a.name, a.type, a.capabilities, i.instances,
    jsonb_build_object('resource_requirements', coalesce(a.configuration->'resource_requirements', '{}')) as configuration,
    a.team_id as "teamId", t.domain_id as "domainId", s.scaled_at as "scaledAt", s.policy, o.settings,
    not exists (select from agent_health h where h.organization_id = a.organization_id and h.id = a.id
      and h.status = 'unhealthy')
      and not exists (select from breaker b where b.organization_id = a.organization_id and b.scope = 'agent'
        and b.subject = a.id::text and b.state <> 'closed') as "isAvailable",
    coalesce(w.tasks, 0)::float8 as tasks, l.p95::float8 as "responseP95Ms",
    coalesce(k.by_capability, 0)::int as "byCapability", coalesce(k.others, 0)::int as others,
    coalesce(k.cost, 0)::float8 as "costUsd", d.tasks::int as "tasksPerDay", m.left_usd::float8 as "moneyLeftUsd"
  from agent a
  join (select agent_id, count(*)::int as instances from agent_instance where organization_id = $1::uuid group by agent_id) i
    on i.agent_id = a.id
  cross join (select ${resourceManagementOf('x')} as settings from (select $1::uuid as organization_id) x) o
  left join team t on t.organization_id = a.organization_id and t.id = a.team_id
  left join agent_scaling s on s.organization_id = a.organization_id and s.id = a.id
  left join lateral (
    select x.response_p95_ms as p95 from agent_load x
    where x.organization_id = a.organization_id and x.agent_id = a.id and x.response_p95_ms is not null
      and x.minute > clock_timestamp() - interval '${LATELY} minutes'
    order by x.minute desc limit 1
  ) l on true
  left join (
    select agent_id, count(*) as tasks from strand where organization_id = $1::uuid and agent_id is not null
      and (status = 'running' or status = 'waiting' and starts_with(wait_key, 'worker:')
        or status = 'ready' and due_at <= clock_timestamp())
    group by agent_id
  ) w on w.agent_id = a.id
  left join lateral (
    select count(*) filter (where x.assignment is not null) as by_capability,
      count(*) filter (where x.assignment is null) as others, avg(x.cost_usd) as cost
    from (select assignment, cost_usd from task where organization_id = $1::uuid and agent_id = a.id
      order by id desc limit ${LAST}) x
  ) k on true
  left join lateral (
    select count(*) as tasks from (select created_at from task where organization_id = $1::uuid and agent_id = a.id
      order by id desc limit ${MOST_A_DAY}) x where x.created_at > clock_timestamp() - interval '1 day'
  ) d on true
  left join lateral (
    select min(b.max_usd - coalesce(u.used_usd + u.reserved_usd, 0)) as left_usd from budget b
    left join budget_use u on u.organization_id = b.organization_id and u.budget_id = b.id and u.subject = ''
      and u.since = case b."window" when 'day' then tutti_day_start($1::uuid) else timestamptz '1970-01-01T00:00:00Z' end
    where b.organization_id = a.organization_id and b.max_usd is not null and (b.scope = 'organization'
      or b.scope = 'domain' and b.domain_id = t.domain_id or b.scope = 'team' and b.team_id = a.team_id
      or b.scope = 'agent' and b.agent_id = a.id)
  ) m on true
  where a.organization_id = $1::uuid and a.status = 'active' order by a.id`

const SHARES = `select agent_id as "agentId", to_agent_id as "to", percent,
    (extract(epoch from since) * 1000)::float8 as since, (extract(epoch from until) * 1000)::float8 as until
  from agent_share where organization_id = $1::uuid order by id`

const HOURS = `select agent_id as "agentId", (floor(extract(epoch from minute) / 3600) + 0.5)::float8 * ${HOUR_MS} as at,
    avg(running_average + queued)::float8 as load
  from agent_load where organization_id = $1::uuid and agent_id = any($2::uuid[])
    and minute >= now() - ${WEEKS * 7 + 1} * interval '1 day'
  group by 1, 2 order by 2`

const MINUTES = `select agent_id as "agentId", (extract(epoch from minute) * 1000 + 30000)::float8 as at,
    (running_average + queued)::float8 as load
  from agent_load where organization_id = $1::uuid and agent_id = any($2::uuid[])
    and minute >= date_trunc('minute', clock_timestamp()) - interval '${LATELY} minutes'
    and minute < date_trunc('minute', clock_timestamp())`
