import { cursorOf, type EventData, type EventRecord, EVENTS, type EventType } from '@tutti/schema'
import type { Context } from '../context.ts'

export interface OperationEventRow {
  cursor: string
  type: string
  time: Date
  operationId: string
  done: number
  failed: number
}

type Progress = EventData<'operation.started'> & Partial<EventData<'operation.progressed'>>

const isOurs = (type: string): type is EventType => type in EVENTS && type.startsWith('operation.')
const TYPES = Object.keys(EVENTS).filter(isOurs)

/** The feed of operations' events after a cursor, then live. */
export async function* operationEvents(
  { tail, actor, signal }: Context,
  { after, operationId }: { after?: string | null | undefined; operationId?: string | null | undefined },
): AsyncGenerator<OperationEventRow> {
  const feed = tail.subscribe(
    {
      organizationId: actor.organizationId,
      types: TYPES,
      matches: (event) => !operationId || dataOf(event).operationId === operationId,
    },
    { after: after ?? null, ...(signal ? { signal } : {}) },
  )
  for await (const event of feed) {
    const { operationId: id, done = 0, failed = 0 } = dataOf(event)
    yield { cursor: cursorOf(event.seq), type: event.type, time: event.time, operationId: id, done, failed }
  }
}

const dataOf = (event: EventRecord): Progress => event.data as Progress
