import type pg from 'pg'

/**
 * US dollars that the organization's day may still cost, on its own clock; 0 when it has cost all it may, null without a
 * daily budget. Claims ask by themselves; this is for whoever wants to know.
 */
export async function budgetLeft(
  client: Pick<pg.ClientBase, 'query'>,
  organizationId: string,
): Promise<number | null> {
  const { rows } = await client.query<{ most: number | null; spent: number }>({
    name: 'limit-budget',
    text: `select min(l.max_cost_usd)::float8 as most, (select coalesce(sum(c.cost_usd), 0)::float8 from task_cost c
        where c.organization_id = $1 and c.spent_at >= tutti_day_start($1)) as spent
      from engine_limit l where l.organization_id = $1 and l.counts = 'cost'`,
    values: [organizationId],
  })
  const [row] = rows
  return row?.most == null ? null : Math.max(0, row.most - row.spent)
}
