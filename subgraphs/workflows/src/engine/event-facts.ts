import { EVENTS, type EventActor, type EventData, type EventRecord } from '@tutti/schema'

/** An event as filters, waits and inputs see it. Of an integrator's event everything is the integrator's. */
export interface EventFacts {
  id: string
  type: string
  /** The source of an integrator's event; `tutti` for the platform's own. */
  source: string
  subject: string | null
  data: unknown
  /** ISO 8601. */
  time: string
  /** Of a person `name` is the id: what runs keep is not gone through when somebody is forgotten. */
  actor: Required<EventActor>
}

/** What expressions read as `event`. */
export function eventFacts(event: EventRecord): EventFacts {
  const actor = { ...event.actor, name: event.actor.name ?? event.actor.id }
  if (isPublished(event)) {
    const { type, source, id, subject, data, time } = event.data
    return { id, type, source, subject, data, time: time ?? event.time.toISOString(), actor }
  }
  const { id, type, subject, data } = event
  return { id, type, source: 'tutti', subject, data, time: event.time.toISOString(), actor }
}

/**
 * What triggers and waits may call for to get this event: its type, and the beginnings of it as `run.*`. An integrator's
 * event goes by its own type, and by `integration.event` as all of them do.
 */
export function namesOfEvent(event: EventRecord): string[] {
  const type = isPublished(event) ? event.data.type : event.type
  const names = [type]
  for (let end = type.lastIndexOf('.'); end > 0; end = type.lastIndexOf('.', end - 1)) {
    names.push(`${type.slice(0, end)}.*`)
  }
  if (isPublished(event)) names.push(event.type)
  return names
}

const ROOMS = new Set(Object.keys(EVENTS).map((type) => type.slice(0, type.indexOf('.'))))

/** Whether a type is the platform's own, or would be taken for one: nobody else publishes it. */
export const isPlatformType = (type: string): boolean => ROOMS.has(type.split('.', 1)[0] ?? '')

const isPublished = (event: EventRecord): event is EventRecord & { data: EventData<'integration.event'> } =>
  event.type === 'integration.event'
