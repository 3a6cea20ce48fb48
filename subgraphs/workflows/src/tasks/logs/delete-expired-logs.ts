import type { Database } from '@tutti/prisma'

const CHUNK = 5_000

/** Takes away lines whose time is over, of every tenant, at most 5,000. The answer is how many: call again while full. */
export async function deleteExpiredLogs({ database }: { database: Database }): Promise<number> {
  const { rowCount } = await database.pool('worker').query(
    `delete from task_log l using (select organization_id, id from task_log where expires_at <= clock_timestamp()
       order by expires_at limit ${CHUNK}) x
     where l.organization_id = x.organization_id and l.id = x.id`,
  )
  return rowCount ?? 0
}
