import { ask } from '../platform/ask.ts'
import type { Door } from '../platform/find-door.ts'
import { follow } from '../platform/follow.ts'
import type { RunStatus } from './start-runs.ts'

const EVENTS = `subscription RunEvents($after: String, $filter: RunEventFilter) {
  runEvents(after: $after, filter: $filter) { cursor type run { id status } }
}`

interface RunEventData {
  runEvents: { cursor: string; type: string; run: { id: string; status: RunStatus } | null }
}

// A query may have 20 fields at its root.
const ASKED_AT_ONCE = 20
const QUIET_MS = 2_000

/** Whether nothing more happens to a run until a person does something. */
function isSettled(status: RunStatus): boolean {
  return status !== 'RUNNING'
}

/** Knows of every run of a workflow, from its feed, whether it has settled; stop it when you are done. */
export interface RunWatch {
  /** Tells it of a run that was started or found. */
  add(runId: string, status: RunStatus): void
  /** How many of the added ones have settled, by state. */
  settled(): Map<RunStatus, number>
  open(): number
  cuts(): number
  /** Resolves when all added runs have settled; rejects when the feed is refused. */
  allSettled(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Follows a workflow's runs. The feed is the news; when it is quiet for 2 s with runs open, those are asked for one by one,
 * since an event between the call and the feed's first moment is in no feed.
 */
export async function watchRuns(door: Door, workflowId: string): Promise<RunWatch> {
  const abort = new AbortController()
  const wanted = new Set<string>()
  const statuses = new Map<string, RunStatus>()
  let open = 0
  let cuts = 0
  let quietSince = performance.now()
  let wake: () => void = () => undefined
  const connected = Promise.withResolvers<void>()

  const note = (runId: string, status: RunStatus) => {
    const before = statuses.get(runId)
    if (before !== undefined && isSettled(before)) return
    statuses.set(runId, status)
    if (!isSettled(status)) return
    quietSince = performance.now()
    if (wanted.has(runId)) open--
    if (open === 0) wake()
  }

  const feed = follow<RunEventData>(
    door,
    {
      query: EVENTS,
      variables: {
        filter: { workflowId, types: ['run.waiting', 'run.completed', 'run.failed', 'run.cancelled'] },
      },
    },
    {
      cursorOf: (data) => data.runEvents.cursor,
      onData: ({ runEvents: { run } }) => run && note(run.id, run.status),
      onConnected: () => connected.resolve(),
      onCut: () => cuts++,
    },
    abort.signal,
  )
  // Awaited by whoever waits; this only keeps Node from calling it unhandled meanwhile.
  feed.catch(() => undefined)

  const askForOpen = async () => {
    const ids = [...wanted].filter((id) => !isSettled(statuses.get(id) ?? 'RUNNING')).slice(0, ASKED_AT_ONCE)
    const query = `query OpenRuns(${ids.map((_, index) => `$r${index}: ID!`).join(', ')}) {
      ${ids.map((_, index) => `r${index}: run(id: $r${index}) { id status }`).join('\n')}
    }`
    const variables = Object.fromEntries(ids.map((id, index) => [`r${index}`, id]))
    const runs = await ask<Record<string, { id: string; status: RunStatus } | null>>(door, query, variables)
    for (const run of Object.values(runs)) if (run) note(run.id, run.status)
  }

  await Promise.race([connected.promise, feed])
  return {
    add(runId, status) {
      if (wanted.has(runId)) return
      wanted.add(runId)
      if (!isSettled(statuses.get(runId) ?? 'RUNNING')) open++
      note(runId, status)
    },
    settled() {
      const counts = new Map<RunStatus, number>()
      for (const id of wanted) {
        const status = statuses.get(id)
        if (status && isSettled(status)) counts.set(status, (counts.get(status) ?? 0) + 1)
      }
      return counts
    },
    open: () => open,
    cuts: () => cuts,
    async allSettled() {
      while (open > 0) {
        const { promise, resolve } = Promise.withResolvers<void>()
        wake = resolve
        const timer = setTimeout(resolve, QUIET_MS)
        await Promise.race([promise, feed]).finally(() => clearTimeout(timer))
        if (open === 0 || performance.now() - quietSince < QUIET_MS) continue
        let before: number
        do {
          before = open
          await askForOpen()
        } while (open > 0 && open < before)
      }
    },
    async [Symbol.asyncDispose]() {
      abort.abort()
      await feed.catch(() => undefined)
    },
  }
}
