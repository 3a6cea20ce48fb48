import type { Database } from '@tutti/prisma'

const CHUNK = 5_000

/**
 * Takes away what was told 90 days ago, given up or dropped, of every tenant, at most 5,000; no policy of the database lets
 * younger ones go. The answer is how many: call again until none is left.
 */
export async function deleteOldNotifications({ database }: { database: Database }): Promise<number> {
  const { rowCount } = await database.pool('worker').query(
    `delete from notification n using (select organization_id, id from notification
       where status <> 'pending' and created_at < clock_timestamp() - interval '90 days'
       order by created_at limit ${CHUNK}) x
     where n.organization_id = x.organization_id and n.id = x.id`,
  )
  return rowCount ?? 0
}
