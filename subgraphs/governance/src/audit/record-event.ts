import { eventActor } from '@tutti/prisma'
import { type Actor, EVENTS, type NewEvent } from '@tutti/schema'
import type pg from 'pg'

/** Adds an event to the log in the transaction of a connection of plain pg. Announcing it is left to the caller. */
export async function recordEvent(
  client: Pick<pg.ClientBase, 'query'>,
  actor: Actor,
  { type, subject, data }: NewEvent,
): Promise<void> {
  await client.query(
    'insert into log.event (organization_id, type, subject, actor, data) values ($1, $2, $3, $4, $5)',
    [actor.organizationId, type, subject, eventActor(actor), EVENTS[type].parse(data)],
  )
}
