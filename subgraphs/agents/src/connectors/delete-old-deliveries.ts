import type { Database } from '@tutti/prisma'

const CHUNK = 5_000

/**
 * Forgets deliveries of connectors that came 90 days ago, of every tenant, at most 5,000. The answer is how many: call again
 * until none is left.
 */
export async function deleteOldDeliveries({ database }: { database: Database }): Promise<number> {
  const { rowCount } = await database.pool('worker').query(
    `delete from connector_delivery d using (select organization_id, connector, delivery from connector_delivery
       where created_at < clock_timestamp() - interval '90 days' order by created_at limit ${CHUNK}) x
     where d.organization_id = x.organization_id and d.connector = x.connector and d.delivery = x.delivery`,
  )
  return rowCount ?? 0
}
