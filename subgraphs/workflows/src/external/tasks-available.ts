import { setTimeout as pause } from 'node:timers/promises'
import { isId } from '@tutti/runtime'
import { cursorOf, type EventData, type EventRecord } from '@tutti/schema'
import type { Context } from '../context.ts'
import { isStorableText } from '../triggers/unstorable.ts'
import type { WorkerRequest } from './find-worker-agents.ts'

/** What comes within this time is told together. */
const GATHER_MS = 50
/** What an agent can do may change: what was found is trusted so long. */
const TRUST_MS = 5_000

/** Some tasks can be claimed. */
export interface TasksAvailableRow {
  /** Of the newest event that this tells of. */
  cursor: string
  time: Date
  /** Whose tasks it may be. */
  agentIds: string[]
}

/**
 * Tells that there is work for workers of these agents: tasks came to wait for them, were given back, or may be claimed
 * again since a run goes on or an order was lifted. What comes within 50 ms is told together. An agent's key hears of its
 * own agent; who names none that is there hears nothing. A lease that ran out leaves no event before somebody claims: ask
 * now and then. CURSOR_INVALID.
 */
export async function* tasksAvailable(
  context: Context,
  { after, ...request }: WorkerRequest & { after?: string | null | undefined },
): AsyncGenerator<TasksAvailableRow> {
  const { tail, actor, signal } = context
  const { organizationId } = actor
  const gone = new AbortController()
  const feed = tail.subscribe(
    { organizationId, types: ['task.waiting', 'task.released', 'run.resumed', 'containment.lifted'] },
    { after: after ?? null, signal: signal ? AbortSignal.any([signal, gone.signal]) : gone.signal },
  )
  const concerned = concernedBy(context, request)
  let newest: EventRecord | undefined
  let agents = new Set<string>()
  let came = Promise.withResolvers<void>()
  const reading = (async () => {
    for await (const event of feed) {
      const of = await concerned(event)
      if (of.length === 0) continue
      newest = event
      for (const id of of) agents.add(id)
      came.resolve()
    }
  })()
  const isOver = reading.then(() => true)
  isOver.catch(() => undefined)
  try {
    while (!(await Promise.race([came.promise, isOver]))) {
      await pause(GATHER_MS)
      const event = newest
      const agentIds = [...agents]
      agents = new Set()
      came = Promise.withResolvers<void>()
      if (event) yield { cursor: cursorOf(event.seq), time: event.time, agentIds }
    }
  } finally {
    gone.abort()
    await isOver.catch(() => undefined)
  }
}

/** The agents that an event may bring work to, of those that are asked for. */
function concernedBy(
  { database, actor }: Context,
  { agent = null, capabilities = null }: WorkerRequest,
): (event: EventRecord) => Promise<string[]> {
  let ids: string[] = []
  let until = 0
  const wanted = actor.kind === 'agent' ? (actor.agentId ?? actor.name) : null
  const named = [agent, wanted, ...(capabilities ?? [])].every(
    (text) => text === null || isStorableText(text),
  )

  async function find(): Promise<string[]> {
    if (!named) return []
    const rows = await database.readTenant<{ id: string }>(
      actor,
      `select id from agent where organization_id = $1 and ($2::text is null or name = $2 or id = $3)
         and ($4::text is null or name = $4 or id = $5) and ($6::text[] is null or capabilities && $6)`,
      [
        actor.organizationId,
        agent,
        agent !== null && isId(agent) ? agent : null,
        wanted,
        wanted !== null && isId(wanted) ? wanted : null,
        capabilities,
      ],
    )
    return rows.map(({ id }) => id)
  }

  return async ({ type, data }) => {
    const of = type === 'task.waiting' || type === 'task.released' ? data : null
    if (of && 'waitsFor' in of && of.waitsFor !== 'worker') return []
    if (performance.now() > until) {
      ids = await find()
      until = performance.now() + TRUST_MS
    }
    if (!of) return ids
    const { agentId } = of as EventData<'task.released'>
    return agentId !== null && ids.includes(agentId) ? [agentId] : []
  }
}
