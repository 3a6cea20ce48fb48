import type { Database } from '@tutti/prisma'

const CHUNK = 5_000

/** Takes away load that is older than 30 days, of every tenant, at most 5,000 minutes; answers with how many. */
export async function deleteOldLoads({ database }: { database: Database }): Promise<number> {
  const { rowCount } = await database.pool('worker').query(
    `delete from agent_load l using (select ctid from agent_load where minute < clock_timestamp() - interval '30 days'
       limit ${CHUNK}) old where l.ctid = old.ctid`,
  )
  return rowCount ?? 0
}
