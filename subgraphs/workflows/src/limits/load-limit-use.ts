import { IS_PLAN } from './count-runs.ts'
import type { Context } from '../context.ts'

/** How much of a limit is in use now. */
export interface LimitUse {
  id: string
  /** Tasks or runs; null for what a day costs. */
  underWay: number | null
  /** Runs that wait for their turn. */
  waiting: number | null
  /** Attempts that may begin now; null without a rate. */
  startsLeft: number | null
  /** Of the organization's day so far. */
  costUsd: number | null
}

const USE = `
select l.id,
  case l.counts
    when 'tasks' then (select count(*)::int from strand s
      where s.organization_id = l.organization_id and s.status = 'running' and case l.scope
        when 'organization' then true when 'workflow' then s.workflow_id::text = l.subject
        when 'agent' then s.agent_id::text = l.subject else s.limit_key = l.subject end)
    when 'runs' then (select count(*)::int from run r
        where r.organization_id = l.organization_id and r.status in ('running', 'waiting', 'paused')
          and case l.scope when 'organization' then r.depth = 0 else r.workflow_id::text = l.subject and not ${IS_PLAN} end)
      + (select count(*)::int from strand s join run r on r.organization_id = s.organization_id and r.id = s.run_id
        where s.organization_id = l.organization_id and s.wait_key = 'slot:taken' and r.status = 'queued'
          and case l.scope when 'organization' then r.depth = 0 else r.workflow_id::text = l.subject and not ${IS_PLAN} end)
  end as "underWay",
  case l.counts when 'runs' then (select count(*)::int from strand s
      join run r on r.organization_id = s.organization_id and r.id = s.run_id
    where s.organization_id = l.organization_id and s.wait_key in ('slot', 'slot:sub') and s.status = 'held'
      and case l.scope when 'organization' then r.depth = 0 else r.workflow_id::text = l.subject end)
  end as waiting,
  floor(least(l.max_starts, l.tokens + greatest(0, extract(epoch from clock_timestamp() - l.refilled_at))::float8
    * l.max_starts / l.per_seconds) + 1e-9)::int as "startsLeft",
  case l.counts when 'cost' then (select coalesce(sum(c.cost_usd), 0)::float8 from task_cost c
    where c.organization_id = l.organization_id and c.spent_at >= tutti_day_start(l.organization_id))
  end as "costUsd"
from engine_limit l where l.organization_id = $1 and l.id = any($2::uuid[])`

/** How much of each limit is in use, by the limit's id. */
export async function loadLimitUse(
  { database, actor }: Context,
  ids: readonly string[],
): Promise<Map<string, LimitUse>> {
  const rows = await database.readTenant<LimitUse>(actor, USE, [actor.organizationId, ids])
  return new Map(rows.map((row) => [row.id, row]))
}
