import type { Database } from '@tutti/prisma'

const CHUNK = 5_000

/**
 * Takes away messages between agents with their delivery logs, of every tenant, 30 days after they ended, and what was
 * remembered of broadcasts, at most 5,000 each; no policy of the database lets younger ones go. The answer is how many: call
 * again until none is left.
 */
export async function deleteOldMessages({ database }: { database: Database }): Promise<number> {
  const pool = database.pool('worker')
  const { rowCount: messages } = await pool.query(
    `delete from agent_message m using (select organization_id, id from agent_message
       where ended_at < clock_timestamp() - interval '30 days' and due_at is null order by ended_at limit ${CHUNK}) x
     where m.organization_id = x.organization_id and m.id = x.id`,
  )
  const { rowCount: broadcasts } = await pool.query(
    `delete from message_broadcast b using (select organization_id, id from message_broadcast
       where created_at < clock_timestamp() - interval '30 days' limit ${CHUNK}) x
     where b.organization_id = x.organization_id and b.id = x.id`,
  )
  return (messages ?? 0) + (broadcasts ?? 0)
}
