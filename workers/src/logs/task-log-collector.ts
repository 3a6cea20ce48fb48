import { type Actor, TuttiError } from '@tutti/schema'
import { appendTaskLogs, MOST_LINE_BYTES, type TaskLogLine } from '@tutti/workflows/domain'
import type { WorkerServices } from '../worker-services.ts'

/** What this process's executors log, on its way to the tasks. */
export interface TaskLogCollector extends AsyncDisposable {
  /** Takes a line; what is too long is cut. Never throws, waits for nothing. */
  append(actor: Actor, line: TaskLogLine): void
}

const EVERY_MS = 500
/** Lines of one statement. */
const BATCH = 500
/** Lines under way in this process; more are dropped and counted. */
const MOST_WAITING = 20_000
/** A task whose beginning is not written yet is waited for. */
const PATIENCE_MS = 10_000

interface Waiting {
  actor: Actor
  lines: TaskLogLine[]
  since: number
}

/** Sends lines twice a second, a statement a task. Its end sends the rest. */
export function createTaskLogCollector({
  database,
  log,
}: Pick<WorkerServices, 'database' | 'log'>): TaskLogCollector {
  const waiting = new Map<string, Waiting>()
  let count = 0
  let dropped = 0
  let timer: NodeJS.Timeout | undefined
  let sending: Promise<void> | undefined

  function sendSoon(): void {
    timer ??= setTimeout(() => {
      timer = undefined
      sending ??= sendAll().finally(() => {
        sending = undefined
        if (waiting.size > 0) sendSoon()
      })
    }, EVERY_MS)
  }

  async function sendAll(): Promise<void> {
    for (const [taskId, of] of waiting) await sendOne(taskId, of)
    if (dropped > 0) log.warn({ lines: dropped }, 'lines of tasks were dropped: too many at once')
    dropped = 0
  }

  /** In batches, until all are sent or one cannot be: that is tried again later, and given up in the end. */
  async function sendOne(taskId: string, of: Waiting): Promise<void> {
    while (of.lines.length > 0) {
      const batch = of.lines.slice(0, BATCH)
      try {
        await appendTaskLogs({ database }, of.actor, batch)
      } catch (error) {
        if (performance.now() - of.since < PATIENCE_MS) return
        const reason = error instanceof TuttiError ? error.code : error
        log.warn({ err: reason, taskId, lines: batch.length }, 'lines of a task could not be kept')
      }
      of.lines.splice(0, batch.length)
      of.since = performance.now()
      count -= batch.length
    }
    waiting.delete(taskId)
  }

  return {
    append(actor, line) {
      if (count >= MOST_WAITING) return void dropped++
      count += 1
      const of = waiting.get(line.taskId) ?? { actor, lines: [], since: performance.now() }
      of.lines.push(cut(line))
      waiting.set(line.taskId, of)
      sendSoon()
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(timer)
      await sending
      clearTimeout(timer)
      await sendAll()
    },
  }
}

/** Makes a line as long as one may be: its data go first, also what is no JSON. */
function cut(line: TaskLogLine): TaskLogLine {
  const { data, message, ...rest } = line
  const room = MOST_LINE_BYTES - Buffer.byteLength(message)
  if (room < 0)
    return {
      ...rest,
      message: Buffer.from(message)
        .subarray(0, MOST_LINE_BYTES - 3)
        .toString(),
    }
  return data === undefined || bytesOf(data) <= room ? line : { ...rest, message }
}

function bytesOf(data: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(data) ?? 'null')
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
