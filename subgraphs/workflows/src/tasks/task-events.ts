import { cursorOf, type EventData, type EventRecord, EVENTS, type EventType } from '@tutti/schema'
import type { Context } from '../context.ts'

export interface TaskEventRow {
  cursor: string
  type: string
  time: Date
  stepPath: string
  attempt: number
  error: { code: string; message: string } | null
  taskId: string
  runId: string
}

export interface TaskEventFilter {
  workflowId?: string | null | undefined
  runId?: string | null | undefined
  agentId?: string | null | undefined
  types?: readonly string[] | null | undefined
}

type TaskData = EventData<'task.completed'> & { error?: { code: string; message: string } }

const TASK_TYPES = Object.keys(EVENTS).filter((type) => type.startsWith('task.')) as EventType[]

/** The feed of task events after a cursor, then live. */
export async function* taskEvents(
  { tail, actor, signal }: Context,
  { after, filter }: { after?: string | null | undefined; filter?: TaskEventFilter | null | undefined },
): AsyncGenerator<TaskEventRow> {
  const types = filter?.types ? TASK_TYPES.filter((type) => filter.types?.includes(type)) : TASK_TYPES
  const matches = (event: EventRecord): boolean => {
    const data = event.data as TaskData
    return (
      (!filter?.workflowId || data.workflowId === filter.workflowId) &&
      (!filter?.runId || data.runId === filter.runId) &&
      (!filter?.agentId || data.agentId === filter.agentId)
    )
  }
  const feed = tail.subscribe(
    { organizationId: actor.organizationId, types, matches },
    { after: after ?? null, ...(signal ? { signal } : {}) },
  )
  for await (const event of feed) {
    const { stepPath, attempt, taskId, runId, error = null } = event.data as TaskData
    yield {
      cursor: cursorOf(event.seq),
      type: event.type,
      time: event.time,
      stepPath,
      attempt,
      error,
      taskId,
      runId,
    }
  }
}
