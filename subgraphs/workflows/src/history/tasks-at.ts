import type { TaskStatus } from '../engine/core/index.ts'
import type { TaskProgressRow } from '../tasks/load-tasks.ts'
import { errorOf, type PastEvent, type PastTask, textOf } from './run-past.ts'

/** What a task's events up to a moment say of it. */
interface TaskThen {
  status: TaskStatus
  attempt: number
  error: PastTask['error']
  startedAt: Date | null
  endedAt: Date | null
  progress: TaskProgressRow | null
  /** Whether a later event says that it began anew, so that the row's own time is of another attempt. */
  beginsAgain: boolean
}

const SETTLED = {
  'task.completed': 'completed',
  'task.failed': 'failed',
  'task.cancelled': 'cancelled',
  'task.skipped': 'skipped',
} as const

/**
 * A run's tasks as they were at a moment: those that had begun, with the status, attempt, failure, times and report of
 * then. What a task was given is as it is now (a decision that came later is in it), what it cost is known of its end only.
 */
export function tasksAt(tasks: readonly PastTask[], events: readonly PastEvent[], at: Date): PastTask[] {
  const then = new Map<string, TaskThen>()
  const known = new Set<string>()
  for (const event of events) {
    const id = event.type.startsWith('task.') ? textOf(event, 'taskId') : null
    if (id === null) continue
    known.add(id)
    const before = then.get(id)
    if (event.time <= at) then.set(id, after(before, event))
    else if (before && event.type === 'task.started') before.beginsAgain = true
  }
  const byId = new Map(tasks.map((task) => [task.id, task]))
  // What left no event (a branch without steps, a copy from another run) is over as soon as it is there.
  const isThere = (task: PastTask): boolean => {
    if (known.has(task.id)) return then.has(task.id)
    const parent = task.parentId === null ? undefined : byId.get(task.parentId)
    return task.createdAt <= at && (parent === undefined || isThere(parent))
  }
  return tasks.filter(isThere).map((task) => {
    const past = then.get(task.id)
    return past ? shown(task, past) : task
  })
}

function after(before: TaskThen | undefined, event: PastEvent): TaskThen {
  const said = event.data['attempt']
  const task: TaskThen = before
    ? { ...before }
    : {
        status: 'ready',
        attempt: 0,
        error: null,
        startedAt: null,
        endedAt: null,
        progress: null,
        beginsAgain: false,
      }
  const attempt = typeof said === 'number' ? said : task.attempt
  switch (event.type) {
    case 'task.ready':
      // It had waited for a decision: the next attempt is the same one, and is counted when it begins.
      return { ...task, status: 'ready', attempt: task.status === 'waiting' ? attempt - 1 : attempt }
    case 'task.started':
      return { ...task, status: 'running', attempt, startedAt: event.time }
    case 'task.waiting':
      return { ...task, status: 'waiting', attempt }
    case 'task.retrying':
      return { ...task, status: 'ready', attempt, error: errorOf(event) }
    case 'task.controlled': {
      // Taken from the worker that had it.
      const isTaken = event.data['action'] === 'retry' || event.data['action'] === 'reassign'
      return isTaken && task.status === 'running' ? { ...task, status: 'ready' } : task
    }
    case 'task.progress':
      return { ...task, progress: progressOf(event) }
    case 'task.completed':
    case 'task.skipped':
      return { ...task, status: SETTLED[event.type], attempt, error: null, endedAt: event.time }
    case 'task.failed':
      return { ...task, status: 'failed', attempt, error: errorOf(event), endedAt: event.time }
    case 'task.cancelled':
      return { ...task, status: 'cancelled', attempt, endedAt: event.time }
    default:
      return task
  }
}

/** The row as it was: of an attempt that is still the last one, and of an end, the row knows the time itself. */
function shown(task: PastTask, then: TaskThen): PastTask {
  const isOver = then.endedAt !== null
  const { status, attempt } = then
  return {
    ...task,
    status,
    attempt,
    error: isOver ? task.error : then.error,
    startedAt: then.startedAt && !then.beginsAgain ? (task.startedAt ?? then.startedAt) : then.startedAt,
    endedAt: isOver ? (task.endedAt ?? then.endedAt) : null,
    output: isOver ? task.output : null,
    arrival: isOver ? task.arrival : null,
    costUsd: isOver ? task.costUsd : '0',
    progress: then.progress,
  }
}

function progressOf({ data, time }: PastEvent): TaskProgressRow {
  const { percent, message, data: more } = data
  return {
    percent: typeof percent === 'number' ? percent : null,
    message: typeof message === 'string' ? message : null,
    data: more ?? null,
    time,
  }
}
