import { cursorOf, type EventRecord, fail, seqOf } from '@tutti/schema'
import type { Context } from '../context.ts'
import { inInbox } from './approval-inbox.ts'

const TYPES = [
  'approval.requested',
  'approval.endorsed',
  'approval.changes_requested',
  'approval.resubmitted',
  'approval.reminded',
  'approval.escalated',
  'approval.decided',
  'approval.expired',
  'approval.withdrawn',
] as const

/** Something that happened to an approval; it is read when it is asked for. */
export interface InboxEventPayload {
  cursor: string
  type: string
  time: Date
  approvalId: string
  /** Whether the caller can decide it now. */
  waitsForYou: boolean
}

/**
 * What comes into the caller's inbox and what may have left it, after the cursor and then live: each change of an approval,
 * and whether it waits for the caller now. CURSOR_INVALID.
 */
export async function* approvalInboxEvents(
  context: Context,
  after: string | null,
): AsyncGenerator<{ approvalInboxEvents: InboxEventPayload }> {
  if (after !== null && seqOf(after) === null) fail('CURSOR_INVALID', { path: 'after' })
  const { tail, actor, signal } = context
  const events = tail.subscribe(
    { organizationId: actor.organizationId, types: TYPES },
    { after, ...(signal ? { signal } : {}) },
  )
  for await (const event of events) {
    const { approvalId } = dataOf(event)
    const waiting = await inInbox(context, actor, [approvalId])
    const { seq, type, time } = event
    yield {
      approvalInboxEvents: {
        cursor: cursorOf(seq),
        type,
        time,
        approvalId,
        waitsForYou: waiting.has(approvalId),
      },
    }
  }
}

/** The tail keeps only the types asked for, which its type cannot say. */
const dataOf = (event: EventRecord): EventRecord<(typeof TYPES)[number]>['data'] =>
  (event as EventRecord<(typeof TYPES)[number]>).data
