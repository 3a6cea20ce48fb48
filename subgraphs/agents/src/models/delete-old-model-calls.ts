import type { Database } from '@tutti/prisma'

const CHUNK = 5_000

/**
 * Takes away calls of models that are 90 days old, of every tenant, at most 5,000; no policy of the database lets younger
 * ones go. The answer is how many: call again until none is left.
 */
export async function deleteOldModelCalls({ database }: { database: Database }): Promise<number> {
  const { rowCount } = await database.pool('worker').query(
    `delete from model_call c using (select organization_id, id from model_call
       where created_at < clock_timestamp() - interval '90 days' order by created_at limit ${CHUNK}) x
     where c.organization_id = x.organization_id and c.id = x.id`,
  )
  return rowCount ?? 0
}
