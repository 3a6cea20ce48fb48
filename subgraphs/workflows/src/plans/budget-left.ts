import type pg from 'pg'

/**
 * What the plan that a run carries out may still cost, in USD, with the plans above it; null without a budget. What the
 * runs of all its plans have cost is counted. Zero or less: nothing more begins.
 */
export async function budgetLeft(
  client: Pick<pg.ClientBase, 'query'>,
  { organizationId, id }: { organizationId: string; id: string },
): Promise<number | null> {
  const { rows } = await client.query<{ left: number | null }>({
    name: 'plan-budget-left',
    text: `with recursive above(id, parent, version, budget) as (
        select r.id, r.parent_run_id, v.version, (v.definition->'planned'->>'budgetUsd')::float8
        from run r join workflow_version v on v.id = r.version_id and v.organization_id is not distinct from r.organization_id
        where r.id = $2 and r.organization_id is not distinct from $1::uuid
        union all
        select r.id, r.parent_run_id, v.version, (v.definition->'planned'->>'budgetUsd')::float8
        from above a join run r on r.id = a.parent and r.organization_id is not distinct from $1::uuid
        join workflow_version v on v.id = r.version_id and v.organization_id is not distinct from r.organization_id
        where a.version < 0
      ), below(top, id) as (
        select a.id, a.id from above a where a.version < 0 and a.budget is not null
        union all
        select b.top, r.id from below b join task t on t.organization_id = $1 and t.run_id = b.id and t.kind = 'agent'
        join run r on r.parent_task_id = t.id and r.organization_id is not distinct from t.organization_id
      )
      select min(a.budget - s.spent) as left from above a join (
        select b.top, sum(r.cost_usd)::float8 as spent from below b
        join run r on r.id = b.id and r.organization_id is not distinct from $1::uuid group by b.top
      ) s on s.top = a.id`,
    values: [organizationId, id],
  })
  return rows[0]?.left ?? null
}
