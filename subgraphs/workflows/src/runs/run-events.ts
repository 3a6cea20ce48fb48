import { isId } from '@tutti/runtime'
import { cursorOf, type EventData, type EventRecord } from '@tutti/schema'
import type { Context } from '../context.ts'
import { type AgentFilter, concernedAgents } from '../history/concerned-agents.ts'
import { eventTypes, selectTypes } from '../history/event-types.ts'

export interface RunEventRow {
  cursor: string
  type: string
  time: Date
  actor: EventRecord['actor']
  runId: string
}

export interface RunEventFilter extends AgentFilter {
  workflowId?: string | null | undefined
  runId?: string | null | undefined
  /** Types or patterns, as `run.*`. */
  types?: readonly string[] | null | undefined
}

const RUN_TYPES = eventTypes('run.')

/** The feed of run events after a cursor, then live. BAD_INPUT when a type is asked for that no run event has. */
export async function* runEvents(
  context: Context,
  { after, filter }: { after?: string | null | undefined; filter?: RunEventFilter | null | undefined },
): AsyncGenerator<RunEventRow> {
  const { tail, actor, signal } = context
  const { workflowId, runId } = filter ?? {}
  const agents = concernedAgents(context, filter ?? {})
  const feed = tail.subscribe(
    {
      organizationId: actor.organizationId,
      types: selectTypes(RUN_TYPES, filter?.types, 'filter.types'),
      ...(runId != null && isId(runId) ? { runId } : {}),
      matches: ({ data }) =>
        (workflowId == null || ('workflowId' in data && data.workflowId === workflowId)) &&
        (runId == null || ('runId' in data && data.runId === runId)),
    },
    { after: after ?? null, ...(signal ? { signal } : {}) },
  )
  for await (const event of feed) {
    const data = event.data as EventData<'run.started'>
    if (!(await agents.workIn(data.runId))) continue
    const { type, time, actor: by } = event
    yield { cursor: cursorOf(event.seq), type, time, actor: by, runId: data.runId }
  }
}
