import type { Database } from '@tutti/prisma'

const CHUNK = 5_000

/**
 * Takes away bookings of resources, of every tenant, 30 days after they ended, at most 5,000; no policy of the database lets
 * younger ones go. The answer is how many: call again until none is left.
 */
export async function deleteOldBookings({ database }: { database: Database }): Promise<number> {
  const { rowCount } = await database.pool('worker').query(
    `delete from resource_booking b using (select organization_id, id from resource_booking
       where ended_at < clock_timestamp() - interval '30 days' order by ended_at limit ${CHUNK}) x
     where b.organization_id = x.organization_id and b.id = x.id`,
  )
  return rowCount ?? 0
}
