import type { Database } from '@tutti/prisma'

const CHUNK = 5_000

/**
 * Takes away links that ended 90 days ago, of every tenant, at most 5,000; no policy of the database lets younger ones go.
 * The answer is how many: call again until none is left.
 */
export async function deleteOldLinks({ database }: { database: Database }): Promise<number> {
  const { rowCount } = await database.pool('worker').query(
    `delete from decision_link l using (select organization_id, id from decision_link
       where expires_at < clock_timestamp() - interval '90 days' order by expires_at limit ${CHUNK}) x
     where l.organization_id = x.organization_id and l.id = x.id`,
  )
  return rowCount ?? 0
}
