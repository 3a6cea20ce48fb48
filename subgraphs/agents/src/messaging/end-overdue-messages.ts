import type { Database } from '@tutti/prisma'

const MOST = 1_000

/**
 * Ends messages of every tenant that are out of time, at most 1,000: those in inboxes have expired, requests that nobody
 * answered are dead. For workers; several may at once. The answer is how many.
 * Events: `message.expired`, `message.dead_lettered`.
 */
export async function endOverdueMessages({ database }: { database: Database }): Promise<number> {
  const { rows } = await database.pool('worker').query<{ ended: number }>(
    `with due as materialized (
       select organization_id, id, kind = 'request' and response_id is null as dead from agent_message
       where due_at <= clock_timestamp() order by due_at limit ${MOST} for no key update skip locked
     ), moved as (
       update agent_message m set status = case when d.dead then 'dead' else 'expired' end, due_at = null,
         ended_at = coalesce(m.ended_at, clock_timestamp()), dead_reason = case when d.dead then 'UNANSWERED' end
       from due d where m.organization_id = d.organization_id and m.id = d.id
       returning m.organization_id, m.id, m.kind, m.from_agent_id, m.to_agent_id, m.status, m.dead_reason
     ), told as (
       insert into log.event (organization_id, type, subject, actor, data)
       select organization_id, case when status = 'dead' then 'message.dead_lettered' else 'message.expired' end,
         'message/' || id, '{"id": "system:worker", "kind": "system", "name": "worker"}',
         jsonb_build_object('messageId', id, 'kind', kind, 'fromAgentId', from_agent_id, 'toAgentId', to_agent_id)
           || case when status = 'dead' then jsonb_build_object('reason', dead_reason) else '{}' end
       from moved order by id
     )
     select count(*)::int as ended from moved`,
  )
  const ended = rows[0]?.ended ?? 0
  if (ended > 0) database.announce()
  return ended
}
