import type { RecoveryPolicy } from '@tutti/schema'
import type { Candidate, Share } from './assign.ts'

/** Of an agent of which nothing says how many tasks it may have under way. */
const SLOTS = 10
/** So many of its last tasks and assessments speak for an agent. */
const LAST = 20

/**
 * Agents that have one of the capabilities ($2) of an organization ($1), with their load, the quality and cost of their
 * last work, their health and breaker, what others take of their work, and what is to be done when they fail. Those on their way out are there too: what
 * only they could do waits for them.
 */
export const CANDIDATES = `
select a.id, a.name, a.capabilities, a.status, t.domain_id as "domainId",
  coalesce(nullif(l.max_running, 0), (a.configuration->'resource_requirements'->>'max_concurrent_tasks')::int,
    ${SLOTS})::int as slots,
  coalesce(load.n, 0)::int as running, coalesce(judged.score, past.share)::float8 as quality,
  coalesce(past.cost, 0)::float8 as "costUsd", h.status = 'unhealthy' as unhealthy, b.state as breaker,
  b.retry_at is null or b.retry_at <= clock_timestamp() as "mayTry",
  coalesce(own.settings->'recovery', every.settings->'recovery') as policy,
  (select jsonb_agg(jsonb_build_object('to', m.to_agent_id, 'percent', m.percent) order by m.to_agent_id)
   from agent_share m where m.organization_id = a.organization_id and m.agent_id = a.id and m.until is null) as shares
from agent a
left join team t on t.organization_id = a.organization_id and t.id = a.team_id
left join engine_limit l on l.organization_id = a.organization_id and l.source = 'instances' and l.name = a.id::text
left join agent_health h on h.organization_id = a.organization_id and h.id = a.id
left join breaker b on b.organization_id = a.organization_id and b.scope = 'agent' and b.subject = a.id::text
  and b.state <> 'closed'
left join reliability_settings own on own.organization_id = a.organization_id and own.id = a.id
left join reliability_settings every on every.organization_id = a.organization_id and every.id = a.organization_id
left join (
  select agent_id, count(*) as n from (
    select agent_id from strand where organization_id = $1 and status = 'running'
    union all
    select agent_id from strand where organization_id = $1 and status = 'waiting' and starts_with(wait_key, 'worker:')
  ) s group by agent_id
) load on load.agent_id = a.id
left join lateral (
  select avg(p.cost_usd) as cost, avg(case p.status when 'completed' then 1.0 when 'failed' then 0.0 end) as share
  from (select cost_usd, status from task where organization_id = $1 and agent_id = a.id
    order by id desc limit ${LAST}) p
) past on true
left join lateral (
  select avg(p.overall_score) as score from (select overall_score from quality_assessment
    where organization_id = $1 and agent_id = a.id order by created_at desc limit ${LAST}) p
) judged on true
where a.organization_id = $1 and a.status <> 'deploying' and a.capabilities && $2::text[] order by a.name`

/** An agent as {@link CANDIDATES} reads it. */
export interface CandidateRow {
  id: string
  name: string
  capabilities: string[]
  status: string
  domainId: string | null
  slots: number
  running: number
  quality: number | null
  costUsd: number
  unhealthy: boolean | null
  /** open or half_open; null: closed. */
  breaker: string | null
  mayTry: boolean | null
  policy: RecoveryPolicy | null
  /** What others take of its work; null: nothing. */
  shares: Share[] | null
}

/** As it is remembered: what it is given is counted. */
export interface KnownCandidate extends Candidate {
  running: number
  policy?: RecoveryPolicy | undefined
}

/** The candidate that a row describes. */
export function knownCandidate(row: CandidateRow): KnownCandidate {
  const { id, name, domainId, slots, running, quality, costUsd, capabilities, policy, shares } = row
  const unavailable = whyUnavailable(row)
  return {
    id,
    name,
    domainId,
    capabilities: capabilities.length,
    slots: Math.max(1, slots),
    running,
    quality,
    costUsd,
    ...(unavailable ? { unavailable } : {}),
    ...(row.breaker !== null && !unavailable ? { trial: true } : {}),
    ...(policy ? { policy } : {}),
    ...(shares ? { shares } : {}),
  }
}

function whyUnavailable({ status, unhealthy, breaker, mayTry }: CandidateRow): Candidate['unavailable'] {
  if (status === 'retired' || status === 'draining' || status === 'deploying') return status
  if (breaker !== null && !mayTry) return 'breaker_open'
  // Who may be tried is tried, whatever the last check said.
  return breaker === null && unhealthy ? 'unhealthy' : undefined
}
