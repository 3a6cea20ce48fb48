import { cursorOf, type EventRecord } from '@tutti/schema'
import type { Context } from '../context.ts'

/** An event of an escalation; the escalation itself is read when it is asked for. */
export interface EscalationEventPayload {
  cursor: string
  type: string
  time: Date
  escalationId: string
}

const TYPES = [
  'escalation.opened',
  'escalation.acknowledged',
  'escalation.raised',
  'escalation.reassigned',
  'escalation.commented',
  'escalation.exhausted',
  'escalation.resolved',
] as const
type EscalationEventRecord = EventRecord<(typeof TYPES)[number]>

/** What happens to escalations of the caller's organization, after the cursor and then live. */
export async function* escalationEvents(
  { tail, actor, signal }: Context,
  { after }: { after?: string | null },
): AsyncGenerator<{ escalationEvents: EscalationEventPayload }> {
  const events = tail.subscribe(
    { organizationId: actor.organizationId, types: TYPES },
    { after: after ?? null, ...(signal ? { signal } : {}) },
  )
  for await (const event of events) {
    // The tail keeps only the types asked for, which its type cannot say.
    const { seq, type, time, data } = event as EscalationEventRecord
    yield { escalationEvents: { cursor: cursorOf(seq), type, time, escalationId: data.escalationId } }
  }
}
