import { cursorOf, type EventData, type EventRecord, EVENTS, type EventType } from '@tutti/schema'
import type { Context } from '../context.ts'

export interface RunEventRow {
  cursor: string
  type: string
  time: Date
  runId: string
}

export interface RunEventFilter {
  workflowId?: string | null | undefined
  runId?: string | null | undefined
  types?: readonly string[] | null | undefined
}

const RUN_TYPES = Object.keys(EVENTS).filter((type) => type.startsWith('run.')) as EventType[]

/** The feed of run events after a cursor, then live. */
export async function* runEvents(
  { tail, actor, signal }: Context,
  { after, filter }: { after?: string | null | undefined; filter?: RunEventFilter | null | undefined },
): AsyncGenerator<RunEventRow> {
  const types = filter?.types ? RUN_TYPES.filter((type) => filter.types?.includes(type)) : RUN_TYPES
  const matches = (event: EventRecord): boolean => {
    const data = event.data as EventData<'run.started'>
    return (
      (!filter?.workflowId || data.workflowId === filter.workflowId) &&
      (!filter?.runId || data.runId === filter.runId)
    )
  }
  const feed = tail.subscribe(
    { organizationId: actor.organizationId, types, matches },
    { after: after ?? null, ...(signal ? { signal } : {}) },
  )
  for await (const event of feed) {
    const { runId } = event.data as EventData<'run.started'>
    yield { cursor: cursorOf(event.seq), type: event.type, time: event.time, runId }
  }
}
