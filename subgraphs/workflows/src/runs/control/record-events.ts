import { eventActor } from '@tutti/prisma'
import { type Actor, EVENTS, type NewEvent } from '@tutti/schema'
import type pg from 'pg'

/** Writes events in the caller's transaction, in the order given, in one statement. Their subjects are locked before. */
export async function recordEvents(
  client: Pick<pg.ClientBase, 'query'>,
  actor: Actor,
  events: readonly NewEvent[],
): Promise<void> {
  if (events.length === 0) return
  const rows = events.map(({ type, subject, data }) => ({ type, subject, data: EVENTS[type].parse(data) }))
  await client.query(
    `insert into log.event (organization_id, type, subject, actor, data, run_id)
     select $1::uuid, e->>'type', e->>'subject', $2::jsonb, e->'data', (e->'data'->>'runId')::uuid
     from jsonb_array_elements($3::jsonb) with ordinality as t(e, n) order by n`,
    [actor.organizationId, JSON.stringify(eventActor(actor)), JSON.stringify(rows)],
  )
}
