import { type Actor, EVENTS, type EventActor, type NewEvent } from '@tutti/schema'

interface RawExecutor {
  $executeRawUnsafe(text: string, ...parameters: unknown[]): Promise<number>
}

/** The actor as a row keeps it that may be changed: whoever is forgotten is taken out of it. */
export function actorRecord(actor: Actor): { id: string; kind: Actor['kind']; name: string } {
  return { id: actor.id, kind: actor.kind, name: actor.name }
}

/** The actor as events keep it, which nobody changes: of a person the id alone. `loadNames` knows the name. */
export function eventActor({ id, kind, name }: Pick<Actor, 'id' | 'kind' | 'name'>): EventActor {
  return kind === 'person' ? { id, kind } : { id, kind, name }
}

/** Writes events in the caller's transaction, in the order given, in one statement. */
export async function appendEvents(
  db: RawExecutor,
  actor: Actor,
  events: readonly NewEvent[],
): Promise<void> {
  if (events.length === 0) return
  const rows = events.map(({ type, subject, data }) => ({ type, subject, data: EVENTS[type].parse(data) }))
  await db.$executeRawUnsafe(
    `insert into log.event (organization_id, type, subject, actor, data, run_id)
     select $1::uuid, e->>'type', e->>'subject', $2::jsonb, e->'data', (e->'data'->>'runId')::uuid from jsonb_array_elements($3::jsonb) with ordinality as t(e, n) order by n`,
    actor.organizationId,
    JSON.stringify(eventActor(actor)),
    JSON.stringify(rows),
  )
}
