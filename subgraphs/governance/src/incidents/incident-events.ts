import { cursorOf, type EventRecord } from '@tutti/schema'
import type { Context } from '../context.ts'
import type { Severity } from './severity.ts'

/** An event of an incident; the incident itself is read when it is asked for. */
export interface IncidentEventPayload {
  cursor: string
  type: string
  time: Date
  incidentId: string
}

const TYPES = ['incident.opened', 'incident.acknowledged', 'incident.resolved'] as const
type IncidentEventRecord = EventRecord<(typeof TYPES)[number]>

/** What happens to incidents of the caller's organization, after the cursor and then live. */
export async function* incidentEvents(
  { tail, actor, signal }: Context,
  { after, severities }: { after?: string | null; severities?: readonly Severity[] | null },
): AsyncGenerator<{ incidentEvents: IncidentEventPayload }> {
  const events = tail.subscribe(
    {
      organizationId: actor.organizationId,
      types: TYPES,
      matches: (event) => !severities || severities.some((each) => each === dataOf(event).severity),
    },
    { after: after ?? null, ...(signal ? { signal } : {}) },
  )
  for await (const event of events) {
    const { seq, type, time } = event
    yield {
      incidentEvents: { cursor: cursorOf(seq), type, time, incidentId: dataOf(event).incidentId },
    }
  }
}

/** The tail keeps only the types asked for, which its type cannot say. */
const dataOf = (event: EventRecord): IncidentEventRecord['data'] => (event as IncidentEventRecord).data
