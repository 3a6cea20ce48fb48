import { randomUUID } from 'node:crypto'
import type { Database } from '@tutti/prisma'
import type { Log } from '@tutti/runtime'
import { isRunOver } from '../core/index.ts'
import { findRoomyParents, releaseChildren } from '../store/children.ts'
import { claimStrands, renewLeases, rereadStrands, untilNextDue } from '../store/claim-strands.ts'
import { engineMemoryOf, type Taker } from '../store/engine-memory.ts'
import type { HeldStrand } from '../store/held-strand.ts'
import { dropStrands, parkStrands } from '../store/let-go.ts'
import { type ClaimedTask, claimedTaskOf } from './claimed-task.ts'
import type { TaskOutcome } from './outcome.ts'
import { type Finished, type Recorded, recordEvents } from './record-events.ts'
import { WORKER_ACTOR } from './worker-actor.ts'

/** Does one task. `signal` aborts when the lease is lost or the attempt's time is up; its answer is then ignored. */
export type ExecuteTask = (task: ClaimedTask, signal: AbortSignal) => Promise<TaskOutcome>

export interface TaskRunnerOptions {
  database: Database
  execute: ExecuteTask
  log: Log
  /** Strands under way at once in this process. */
  concurrency?: number
  /** Called when more is ready than this process takes: wakes another. */
  onMore?: () => void
}

/** One process's hands: claims, executes, records, renews. */
export interface TaskRunner extends AsyncDisposable {
  /** There may be work: look at once. */
  wake(): void
  /** Strands under way. */
  readonly busy: number
}

const POLL_MS = 1_000
const RENEW_MS = 1_500
const RECONCILE_MS = 5_000
const BATCH = 200
/** Statements under way at once: while PostgreSQL writes one, the next is prepared. */
const WRITERS = 2
const CLAIM_LIMIT = 100
const CONTINUE_STEPS = 20
const CONTINUE_MS = 50
const RETRY_WRITE_MS = 250
/** A task whose worker was lost so often is taken to be the reason. */
const MOST_RECOVERIES = 5

interface Hold {
  held: HeldStrand
  abort: AbortController
  /** Steps done in a row, and since when: nobody is starved by a long chain. */
  steps: number
  since: number
  /** What is to be recorded, once there is something. */
  finished?: Finished
}

/** Starts claiming. Stopping lets running tasks finish for `drainMs`, then leaves the rest to their leases' end. */
export function startTaskRunner(options: TaskRunnerOptions, drainMs = 8_000): TaskRunner {
  const { database, execute, log, concurrency = 64, onMore } = options
  const pool = database.pool('worker')
  const memory = engineMemoryOf(database)
  const holds = new Map<string, Hold>()
  const queue: Hold[] = []
  const idle = new Set<() => void>()
  let stopping = false
  let claiming = false
  let again = false
  let writing = 0
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
        const limit = Math.min(CLAIM_LIMIT, concurrency - holds.size)
        if (limit <= 0) break
        const rows = await claimStrands(pool, { limit, claim: randomUUID(), actor: WORKER_ACTOR })
        if (rows.length === 0) break
        database.announce()
        if (rows.length === limit) onMore?.()
        const now = performance.now()
        for (const held of await memory.strands.hold(pool, rows)) begin(newHold(held, 0, now))
        again = true
      } while (again && !stopping)
    } catch (error) {
      log.warn({ err: error }, 'claiming failed; tried again at the next poll')
    } finally {
      claiming = false
    }
  }

  function begin(hold: Hold): void {
    const { held } = hold
    holds.set(held.id, hold)
    if (isRunOver(held.runStatus)) return void letGo(hold, dropStrands)
    if (held.runStatus === 'paused') return void letGo(hold, parkStrands)
    const task = claimedTaskOf(held)
    if (!task) return finish(hold, undefined)
    if (held.recoveries >= MOST_RECOVERIES) {
      const message = `Its worker was lost ${held.recoveries} times.`
      return finish(hold, { type: 'failed', error: { code: 'WORKER_LOST', message, retryable: false } })
    }
    void attempt(task, hold.abort).then((outcome) => {
      if (holds.get(held.id) === hold) finish(hold, outcome)
    })
  }

  async function letGo(hold: Hold, how: typeof dropStrands): Promise<void> {
    holds.delete(hold.held.id)
    await how(pool, [hold.held]).catch((error: unknown) => log.warn({ err: error }, 'letting go failed'))
    notifyIdle()
  }

  function finish(hold: Hold, outcome: TaskOutcome | undefined): void {
    const mayContinue =
      !stopping && hold.steps < CONTINUE_STEPS && performance.now() - hold.since < CONTINUE_MS
    hold.finished = { held: hold.held, mayContinue, ...(outcome ? { outcome } : {}) }
    queue.push(hold)
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

  /** A few writers at a time: whatever finishes while they write goes into the next statement together. */
  async function flush(): Promise<void> {
    if (writing >= WRITERS) return
    writing += 1
    try {
      while (queue.length > 0) await record(takeBatch(queue))
    } finally {
      writing -= 1
      notifyIdle()
    }
  }

  async function record(batch: Hold[]): Promise<void> {
    const finished = batch.flatMap((hold) => hold.finished ?? [])
    try {
      const slots = Math.max(0, concurrency - holds.size)
      await settle(batch, await recordEvents(pool, memory, finished, { slots }))
    } catch (error) {
      if (isOfTheData(error)) return isolate(batch, error)
      log.warn({ err: error, strands: batch.length }, 'recording failed; tried again')
      await new Promise((resolve) => setTimeout(resolve, RETRY_WRITE_MS))
      queue.push(...batch.filter((hold) => holds.get(hold.held.id) === hold))
    }
  }

  /** One bad value fails the whole batch: halve it until the bad row stands alone, and fail that row only. */
  async function isolate(batch: Hold[], error: unknown): Promise<void> {
    const [only, second] = batch
    if (only && !second) {
      const message = `The result cannot be stored: ${error instanceof Error ? error.message : 'unknown'}`
      const failure = { code: 'RESULT_NOT_STORABLE', message, retryable: false }
      const before = only.finished?.outcome
      if (only.finished && (before?.type !== 'failed' || before.error.code !== failure.code)) {
        only.finished = { ...only.finished, outcome: { type: 'failed', error: failure } }
        await record([only])
      } else {
        log.error({ err: error, strandId: only.held.id }, 'not even the failure can be stored')
        holds.delete(only.held.id)
      }
      return
    }
    const middle = Math.ceil(batch.length / 2)
    await record(batch.slice(0, middle))
    await record(batch.slice(middle))
  }

  async function settle(batch: Hold[], recorded: Recorded): Promise<void> {
    database.announce()
    const refused = batch.filter(({ held }) => !recorded.written.has(held.id))
    const before = new Map(batch.map((hold) => [hold.held.id, hold]))
    for (const { held } of batch) if (recorded.written.has(held.id)) holds.delete(held.id)
    for (const { after, held } of recorded.next) {
      const hold = before.get(after.id)
      const own = held.id === after.id
      begin(newHold(held, own ? (hold?.steps ?? 0) + 1 : 0, own && hold ? hold.since : performance.now()))
    }
    for (const { id } of recorded.roomy) void release(id)
    if (refused.length > 0) await readAgain(refused)
    if (recorded.madeReady || holds.size < concurrency) void claim().then(scheduleNext)
  }

  async function release(parent: string): Promise<void> {
    try {
      if (await releaseChildren(pool, parent)) await claim()
    } catch (error) {
      log.warn({ err: error }, 'releasing items failed; the reconciler does it')
    }
  }

  /** Refused: the fence moved, so it is somebody else's; or only the epoch did, and what happened is decided again. */
  async function readAgain(refused: readonly Hold[]): Promise<void> {
    const rows = await rereadStrands(
      pool,
      refused.map(({ held }) => held),
    )
    const present = new Map((await memory.strands.hold(pool, rows)).map((held) => [held.id, held]))
    for (const hold of refused) {
      const held = present.get(hold.held.id)
      if (!held || !hold.finished) {
        holds.delete(hold.held.id)
        log.info({ strandId: hold.held.id }, 'a late answer was refused')
        continue
      }
      // What was read is the database's; what had already been claimed in memory is the attempt this answer is of.
      hold.held =
        held.task && hold.held.task
          ? { ...held, task: { ...held.task, attempt: hold.held.task.attempt } }
          : held
      hold.finished = { ...hold.finished, held: hold.held, mayContinue: false }
      queue.push(hold)
    }
  }

  async function scheduleNext(): Promise<void> {
    if (stopping || dueTimer) return
    const ms = await untilNextDue(pool).catch(() => null)
    if (ms === null || stopping || dueTimer) return
    dueTimer = setTimeout(
      () => {
        dueTimer = undefined
        void claim().then(scheduleNext)
      },
      Math.max(ms, 1),
    )
  }

  async function renew(): Promise<void> {
    const lost = await renewLeases(
      pool,
      [...holds.values()].map(({ held }) => held),
    )
    for (const id of lost) {
      const hold = holds.get(id)
      // A row that moved while we renewed may be our own write under way: that answers for itself.
      if (!hold || hold.finished) continue
      hold.abort.abort(new Error('LEASE_LOST'))
      holds.delete(id)
      log.info({ strandId: id }, 'the lease was lost')
    }
    notifyIdle()
  }

  async function reconcile(): Promise<void> {
    for (const parent of await findRoomyParents(pool)) await releaseChildren(pool, parent)
  }

  const upkeep = (name: string, work: () => Promise<void>) => () =>
    void work().catch((error: unknown) => log.warn({ err: error }, `${name} failed`))
  const renewal = setInterval(upkeep('renewing leases', renew), RENEW_MS)
  const reconciler = setInterval(upkeep('reconciling', reconcile), RECONCILE_MS)
  const poll = setInterval(() => void claim().then(scheduleNext), POLL_MS)
  void claim().then(scheduleNext)

  function notifyIdle(): void {
    if (holds.size > 0 || writing > 0) return
    for (const resolve of idle) resolve()
  }

  const taker: Taker = {
    // Half of the room stays for what waits in the queue: who starts here has no right of way.
    reserve: (count) => (!stopping && holds.size + count <= concurrency / 2 ? randomUUID() : undefined),
    begin(started) {
      for (const held of started) begin(newHold(held, 0, performance.now()))
    },
  }
  memory.taker = taker

  return {
    wake: () => void claim().then(scheduleNext),
    get busy() {
      return holds.size
    },
    async [Symbol.asyncDispose]() {
      stopping = true
      if (memory.taker === taker) memory.taker = undefined
      clearInterval(poll)
      clearInterval(reconciler)
      clearTimeout(dueTimer)
      if (holds.size > 0) {
        const limit = new Promise<void>((resolve) => setTimeout(resolve, drainMs).unref())
        await Promise.race([new Promise<void>((resolve) => idle.add(resolve)), limit])
      }
      clearInterval(renewal)
      for (const { abort } of holds.values()) abort.abort(new Error('STOPPING'))
    },
  }
}

const newHold = (held: HeldStrand, steps: number, since: number): Hold => ({
  held,
  abort: new AbortController(),
  steps,
  since,
})

/** The oldest of every tenant in turn, so that a busy one's results do not delay another's. */
function takeBatch(queue: Hold[]): Hold[] {
  if (queue.length <= BATCH) return queue.splice(0)
  const byTenant = Map.groupBy(queue.splice(0), ({ held }) => held.run.organizationId)
  const batch: Hold[] = []
  for (let turn = 0; batch.length < BATCH; turn += 1)
    for (const holds of byTenant.values()) {
      const hold = holds[turn]
      if (hold && batch.length < BATCH) batch.push(hold)
    }
  const taken = new Set(batch)
  for (const holds of byTenant.values()) queue.push(...holds.filter((hold) => !taken.has(hold)))
  return batch
}

/** SQLSTATE class 22 (data exception) and 54 (a limit): repeating does not help. Also JSON that cannot be made. */
function isOfTheData(error: unknown): boolean {
  if (error instanceof TypeError) return true
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return code.startsWith('22') || code.startsWith('54')
}
