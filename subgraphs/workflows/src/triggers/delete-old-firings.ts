import type { Database } from '@tutti/prisma'

const CHUNK = 5_000
/** Days; no policy of the database lets younger ones go. */
const KEPT = `clock_timestamp() - interval '90 days'`

const FIRINGS = `delete from trigger_firing f using (select organization_id, id from trigger_firing
    where status <> 'pending' and created_at < ${KEPT} order by created_at limit ${CHUNK}) x
  where f.organization_id = x.organization_id and f.id = x.id`
const EVENTS = `delete from integration_event e using (select organization_id, source, event_id from integration_event
    where created_at < ${KEPT} order by created_at limit ${CHUNK}) x
  where e.organization_id = x.organization_id and e.source = x.source and e.event_id = x.event_id`

/**
 * Takes away settled firings of triggers, and what is remembered of integrators' events, once they are 90 days old, of
 * every tenant, at most 5,000 of each. Their runs and events stay. The answer is how many: call again until none is left.
 */
export async function deleteOldFirings({ database }: { database: Database }): Promise<number> {
  let deleted = 0
  for (const text of [FIRINGS, EVENTS]) {
    const { rowCount } = await database.pool('worker').query(text)
    deleted += rowCount ?? 0
  }
  return deleted
}
