import type { Database } from '@tutti/prisma'

const CHUNK = 5_000

/**
 * Takes away what was used of budgets on days, by runs and by steps that began to use them 90 days ago, of every tenant,
 * at most 5,000; totals of an organization, a domain, a team or an agent stay. The answer is how many: call again until
 * none is left.
 */
export async function deleteOldUses({ database }: { database: Database }): Promise<number> {
  const { rowCount } = await database.pool('worker').query(
    `delete from budget_use u using (
       select x.ctid from budget_use x join budget b on b.organization_id = x.organization_id and b.id = x.budget_id
       where x.created_at < clock_timestamp() - interval '90 days' and (b."window" = 'day' or b.scope in ('run', 'step'))
       limit ${CHUNK}) old
     where u.ctid = old.ctid`,
  )
  return rowCount ?? 0
}
