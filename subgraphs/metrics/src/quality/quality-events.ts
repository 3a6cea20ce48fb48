import { cursorOf, type EventData, type EventRecord } from '@tutti/schema'
import type { Context } from '../context.ts'

/** An assessment as it happened; the assessment itself is read when it is asked for. */
export interface QualityEventPayload {
  cursor: string
  time: Date
  assessmentId: string
  taskId: string | null
}

/** Assessments in the caller's organization, after the cursor and then live. */
export async function* qualityEvents(
  { tail, actor, signal }: Context,
  { after, belowMinimumOnly }: { after?: string | null; belowMinimumOnly?: boolean | null },
): AsyncGenerator<{ qualityEvents: QualityEventPayload }> {
  const events = tail.subscribe(
    {
      organizationId: actor.organizationId,
      types: ['quality.assessed'],
      matches: (event) => !belowMinimumOnly || dataOf(event).belowMinimum,
    },
    { after: after ?? null, ...(signal ? { signal } : {}) },
  )
  for await (const event of events) {
    const { assessmentId, taskId } = dataOf(event)
    yield { qualityEvents: { cursor: cursorOf(event.seq), time: event.time, assessmentId, taskId } }
  }
}

/** The tail keeps only the type asked for, which its type cannot say. */
const dataOf = (event: EventRecord): EventData<'quality.assessed'> =>
  event.data as EventData<'quality.assessed'>
