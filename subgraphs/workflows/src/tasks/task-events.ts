import { isId } from '@tutti/runtime'
import { cursorOf, type EventData, type EventRecord } from '@tutti/schema'
import type { Context } from '../context.ts'
import { type AgentFilter, concernedAgents } from '../history/concerned-agents.ts'
import { eventTypes, selectTypes } from '../history/event-types.ts'
import type { TaskProgressRow } from './load-tasks.ts'

export interface TaskEventRow {
  cursor: string
  type: string
  time: Date
  actor: EventRecord['actor']
  stepPath: string
  attempt: number
  error: { code: string; message: string } | null
  progress: TaskProgressRow | null
  taskId: string
  runId: string
}

export interface TaskEventFilter extends AgentFilter {
  workflowId?: string | null | undefined
  runId?: string | null | undefined
  /** Types or patterns, as `task.*`. */
  types?: readonly string[] | null | undefined
}

type TaskData = EventData<'task.completed'> & { error?: { code: string; message: string } }

const TASK_TYPES = eventTypes('task.')

/** The feed of task events after a cursor, then live. BAD_INPUT when a type is asked for that no task event has. */
export async function* taskEvents(
  context: Context,
  { after, filter }: { after?: string | null | undefined; filter?: TaskEventFilter | null | undefined },
): AsyncGenerator<TaskEventRow> {
  const { tail, actor, signal } = context
  const { workflowId, runId } = filter ?? {}
  const agents = concernedAgents(context, filter ?? {})
  const feed = tail.subscribe(
    {
      organizationId: actor.organizationId,
      types: selectTypes(TASK_TYPES, filter?.types, 'filter.types'),
      ...(runId != null && isId(runId) ? { runId } : {}),
      matches: ({ data }) =>
        (workflowId == null || ('workflowId' in data && data.workflowId === workflowId)) &&
        (runId == null || ('runId' in data && data.runId === runId)),
    },
    { after: after ?? null, ...(signal ? { signal } : {}) },
  )
  for await (const event of feed) {
    const data = event.data as TaskData
    if (!(await agents.has(data.agentId))) continue
    const { stepPath, attempt, taskId, error = null } = data
    const { type, time, actor: by } = event
    const progress = progressOf(event)
    yield {
      cursor: cursorOf(event.seq),
      type,
      time,
      actor: by,
      stepPath,
      attempt,
      error,
      progress,
      taskId,
      runId: data.runId,
    }
  }
}

/** The report that an event tells. */
export function progressOf({ type, data, time }: EventRecord): TaskProgressRow | null {
  if (type !== 'task.progress') return null
  const { percent, message, data: more = null } = data as EventData<'task.progress'>
  return { percent, message, data: more, time }
}
