import { isId } from '@tutti/runtime'
import type { Context } from '../../context.ts'

/** How many tasks the agents that quotas are about have under way now, as the limits count them, by quota, in one read. */
export async function loadTasksUnderWay(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  quotaIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await database.readTenant<{ id: string; tasks: number }>(
    actor,
    `with work as (
       select a.team_id, t.domain_id, count(*) as tasks from strand s
       join agent a on a.organization_id = s.organization_id and a.id = s.agent_id
       left join team t on t.organization_id = a.organization_id and t.id = a.team_id
       where s.organization_id = $1::uuid
         and (s.status = 'running' or s.status = 'waiting' and starts_with(s.wait_key, 'worker:'))
       group by 1, 2
     )
     select q.id, coalesce(sum(w.tasks), 0)::int as tasks from agent_quota q
     left join work w on (q.team_id is null or w.team_id = q.team_id)
       and (q.domain_id is null or w.domain_id = q.domain_id)
     where q.organization_id = $1::uuid and q.id = any($2::uuid[]) group by q.id`,
    [actor.organizationId, quotaIds.filter(isId)],
  )
  return new Map(rows.map(({ id, tasks }) => [id, tasks]))
}
