import type { Database } from '@tutti/prisma'

const CHUNK = 5_000

/**
 * Takes away answers of models that have expired, of every tenant, at most 5,000; no policy of the database lets others go.
 * The answer is how many: call again until none is left.
 */
export async function deleteExpiredResponses({ database }: { database: Database }): Promise<number> {
  const { rowCount } = await database.pool('worker').query(
    `delete from model_response r using (select organization_id, id from model_response
       where expires_at < clock_timestamp() order by expires_at limit ${CHUNK}) x
     where r.organization_id = x.organization_id and r.id = x.id`,
  )
  return rowCount ?? 0
}
