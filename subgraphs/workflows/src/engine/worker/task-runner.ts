import { randomUUID } from 'node:crypto'
import type { Database } from '@tutti/prisma'
import type { Log } from '@tutti/runtime'
import { type ClaimedTask, claimTasks, renewLeases, untilNextReady } from '../store/claim-tasks.ts'
import { engineMemoryOf } from '../store/engine-memory.ts'
import { completeTasks, type Completion, type FinishedTask } from './complete-tasks.ts'
import type { TaskOutcome } from './outcome.ts'
import { WORKER_ACTOR } from './worker-actor.ts'

/** Does one task. `signal` aborts when the lease is lost or the attempt's time is up; its answer is then ignored. */
export type ExecuteTask = (task: ClaimedTask, signal: AbortSignal) => Promise<TaskOutcome>

export interface TaskRunnerOptions {
  database: Database
  execute: ExecuteTask
  log: Log
  /** Tasks under way at once in this process. */
  concurrency?: number
  /** Called when more is ready than this process takes: wakes another. */
  onMore?: () => void
}

/** One process's hands: claims, executes, records, renews. */
export interface TaskRunner extends AsyncDisposable {
  /** There may be work: look at once. */
  wake(): void
  /** Tasks under way. */
  readonly busy: number
}

const POLL_MS = 1_000
const RENEW_MS = 1_500
const BATCH = 200
const CLAIM_LIMIT = 100
const CONTINUE_STEPS = 20
const CONTINUE_MS = 50
const RETRY_WRITE_MS = 250

interface Held {
  task: ClaimedTask
  abort: AbortController
  /** Steps done in a row, and since when: nobody is starved by a long chain. */
  steps: number
  since: number
}

/** Starts claiming. Stopping lets running tasks finish for `drainMs`, then leaves the rest to their leases' end. */
export function startTaskRunner(options: TaskRunnerOptions, drainMs = 8_000): TaskRunner {
  const { database, execute, log, concurrency = 64, onMore } = options
  const pool = database.pool('worker')
  const memory = engineMemoryOf(database)
  const held = new Map<string, Held>()
  const finished: FinishedTask[] = []
  const idle = new Set<() => void>()
  let stopping = false
  let claiming = false
  let again = false
  let flushing = false
  let dueTimer: NodeJS.Timeout | undefined

  async function claim(): Promise<void> {
    if (claiming || stopping) {
      again = true
      return
    }
    claiming = true
    try {
      do {
        again = false
        const limit = Math.min(CLAIM_LIMIT, concurrency - held.size)
        if (limit <= 0) break
        const tasks = await claimTasks(pool, { limit, claim: randomUUID(), actor: WORKER_ACTOR })
        if (tasks.length > 0) database.announce()
        if (tasks.length === limit) onMore?.()
        for (const task of tasks)
          begin({ task, abort: new AbortController(), steps: 0, since: performance.now() })
        if (tasks.length > 0) again = true
      } while (again && !stopping)
    } catch (error) {
      log.warn({ err: error }, 'claiming failed; tried again at the next poll')
    } finally {
      claiming = false
    }
  }

  function begin(hold: Held): void {
    held.set(hold.task.id, hold)
    void run(hold)
  }

  async function run(hold: Held): Promise<void> {
    const { task, abort } = hold
    const outcome = await attempt(task, abort)
    if (held.get(task.id) !== hold) return // the lease was lost meanwhile
    const mayContinue =
      !stopping && hold.steps < CONTINUE_STEPS && performance.now() - hold.since < CONTINUE_MS
    finished.push({ task, outcome, mayContinue })
    void flush()
  }

  async function attempt(task: ClaimedTask, abort: AbortController): Promise<TaskOutcome> {
    let timer: NodeJS.Timeout | undefined
    const limit = new Promise<TaskOutcome>((resolve) => {
      timer = setTimeout(() => {
        abort.abort(new Error('STEP_TIMED_OUT'))
        resolve({ type: 'timed_out' })
      }, task.timeoutMs)
    })
    try {
      return await Promise.race([execute(task, abort.signal), limit])
    } catch (error) {
      log.warn({ err: error, taskId: task.id }, 'an executor threw')
      const message = error instanceof Error ? error.message : String(error)
      return { type: 'failed', error: { code: 'EXECUTOR_FAILED', message, retryable: true } }
    } finally {
      clearTimeout(timer)
    }
  }

  /** One writer at a time: whatever finishes while it writes goes into the next statement together. */
  async function flush(): Promise<void> {
    if (flushing) return
    flushing = true
    try {
      while (finished.length > 0) {
        const batch = takeBatch(finished)
        await record(batch)
      }
    } finally {
      flushing = false
      notifyIdle()
    }
  }

  async function record(batch: FinishedTask[]): Promise<void> {
    try {
      settle(batch, await completeTasks(pool, memory, batch))
    } catch (error) {
      if (isOfTheData(error)) return isolate(batch, error)
      log.warn({ err: error, tasks: batch.length }, 'recording failed; tried again')
      await new Promise((resolve) => setTimeout(resolve, RETRY_WRITE_MS))
      finished.push(...batch.filter(({ task }) => held.has(task.id)))
    }
  }

  /** One bad value fails the whole batch: halve it until the bad row stands alone, and fail that row only. */
  async function isolate(batch: FinishedTask[], error: unknown): Promise<void> {
    const [only, second] = batch
    if (only && !second) {
      const message = `The result cannot be stored: ${error instanceof Error ? error.message : 'unknown'}`
      const failure = { code: 'RESULT_NOT_STORABLE', message, retryable: false }
      if (only.outcome.type !== 'failed' || only.outcome.error.code !== failure.code) {
        await record([{ ...only, outcome: { type: 'failed', error: failure } }])
      } else {
        log.error({ err: error, taskId: only.task.id }, 'not even the failure can be stored')
        held.delete(only.task.id)
      }
      return
    }
    const middle = Math.ceil(batch.length / 2)
    await record(batch.slice(0, middle))
    await record(batch.slice(middle))
  }

  function settle(batch: FinishedTask[], completion: Completion): void {
    database.announce()
    const successors = new Map(completion.continued.map(({ task, after }) => [after, task]))
    for (const { task } of batch) {
      const before = held.get(task.id)
      held.delete(task.id)
      const next = successors.get(task.id)
      if (next && before)
        begin({ task: next, abort: new AbortController(), steps: before.steps + 1, since: before.since })
    }
    if (completion.stale.length > 0) log.info({ tasks: completion.stale }, 'late answers were refused')
    if (completion.madeReady || held.size < concurrency) void claim().then(scheduleNext)
  }

  async function scheduleNext(): Promise<void> {
    if (stopping || dueTimer) return
    const ms = await untilNextReady(pool).catch(() => null)
    if (ms === null || stopping || dueTimer) return
    dueTimer = setTimeout(
      () => {
        dueTimer = undefined
        void claim().then(scheduleNext)
      },
      Math.max(ms, 1),
    )
  }

  const renewal = setInterval(() => {
    renewLeases(
      pool,
      [...held.values()].map(({ task }) => task),
    ).then(
      (lost) => {
        for (const id of lost) {
          const hold = held.get(id)
          // A row that moved while we renewed may be our own completion under way: only its fence tells.
          if (!hold || finished.some(({ task }) => task.id === id) || flushing) continue
          hold.abort.abort(new Error('LEASE_LOST'))
          held.delete(id)
          log.info({ taskId: id }, 'the lease was lost')
        }
        notifyIdle()
      },
      (error: unknown) => log.warn({ err: error }, 'renewing leases failed'),
    )
  }, RENEW_MS)
  const poll = setInterval(() => void claim().then(scheduleNext), POLL_MS)
  void claim().then(scheduleNext)

  function notifyIdle(): void {
    if (held.size > 0 || flushing) return
    for (const resolve of idle) resolve()
  }

  return {
    wake: () => void claim().then(scheduleNext),
    get busy() {
      return held.size
    },
    async [Symbol.asyncDispose]() {
      stopping = true
      clearInterval(poll)
      clearTimeout(dueTimer)
      if (held.size > 0) {
        const limit = new Promise<void>((resolve) => setTimeout(resolve, drainMs).unref())
        await Promise.race([new Promise<void>((resolve) => idle.add(resolve)), limit])
      }
      clearInterval(renewal)
      for (const { abort } of held.values()) abort.abort(new Error('STOPPING'))
    },
  }
}

/** At most one task a run: two changes of one row in a statement would count once. */
function takeBatch(finished: FinishedTask[]): FinishedTask[] {
  const runs = new Set<string>()
  const batch: FinishedTask[] = []
  for (let index = 0; index < finished.length && batch.length < BATCH;) {
    const each = finished[index]
    if (!each || runs.has(each.task.runId)) {
      index++
      continue
    }
    runs.add(each.task.runId)
    batch.push(each)
    finished.splice(index, 1)
  }
  return batch
}

/** SQLSTATE class 22 (data exception) and 54 (a limit): repeating does not help. Also JSON that cannot be made. */
function isOfTheData(error: unknown): boolean {
  if (error instanceof TypeError) return true
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return code.startsWith('22') || code.startsWith('54')
}
