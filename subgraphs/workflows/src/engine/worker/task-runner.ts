import { randomUUID } from 'node:crypto'
import type { Database } from '@tutti/prisma'
import type { Log } from '@tutti/runtime'
import { acknowledgeStop } from '../../containment/acknowledge-stop.ts'
import { isRunOver } from '../core/index.ts'
import { findAwaiting, findRoomyParents, releaseChildren } from '../store/children.ts'
import { limitMemoryOf } from '../../limits/limit-memory.ts'
import { queuedOrganizations, releaseQueuedRuns } from '../../limits/release-queued-runs.ts'
import { forgiveLosses, renewLeases, rereadStrands, untilNextDue } from '../store/claim-strands.ts'
import { engineMemoryOf, type Taker } from '../store/engine-memory.ts'
import type { HeldStrand } from '../store/held-strand.ts'
import { inTransaction } from '../store/in-transaction.ts'
import { dropStrands, parkStrands } from '../store/let-go.ts'
import type { PlannedChange } from '../store/plan-transitions.ts'
import { takeSignals } from '../take-signals.ts'
import { type ExecuteTask, type RecoverOverdue, runAttempt } from './attempt.ts'
import { type ClaimedTask, claimedTaskOf } from './claimed-task.ts'
import type { AttemptOutcome } from './outcome.ts'
import {
  beginChild,
  type Finished,
  type Recorded,
  recordEvents,
  type RecordOptions,
} from './record-events.ts'
import { claimWithin } from './claim-within.ts'
import {
  CONTINUE_MS,
  CONTINUE_STEPS,
  LEASE_MS,
  LITTLE,
  LOST_MS,
  MOST_RECOVERIES,
  POLL_MS,
  RECONCILE_MS,
  RENEW_MS,
  RETRY_WRITE_MS,
  UNWRITTEN_MS,
  WATCH_MS,
  WRITERS,
} from './pace.ts'
import { weighTenants } from './weigh-tenants.ts'

export interface TaskRunnerOptions {
  database: Database
  execute: ExecuteTask
  recoverOverdue?: RecoverOverdue | undefined
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

/** How often another process is woken while there is more than this one takes. */
const MORE_MS = 200
const BATCH = 200
const SMALL_BATCH = 32
const CLAIM_LIMIT = 128
const LONGEST_TIMER_MS = 60_000
/** How soon it is asked what others' timers are due, after somebody said that there is work: idle, and at work. */
const AHEAD_MS = 50
const AHEAD_BUSY_MS = 500

interface Hold {
  held: HeldStrand
  abort: AbortController
  /** Steps done in a row, and since when: nobody is starved by a long chain. */
  steps: number
  since: number
  /** When its lease ends at the earliest, milliseconds of this process. */
  until: number
  /** The attempt, until it has ended, whatever came of it; and the task as its executor sees it. */
  attempt?: Promise<unknown>
  task?: ClaimedTask
  /** What is to be recorded, once there is something. */
  finished?: Finished
  /** The beginning of the task, while it is not written. */
  begun?: PlannedChange | undefined
  /** What the task came to while its beginning was being written. */
  outcome?: AttemptOutcome
}

/** Starts claiming. Stopping lets running tasks finish for `drainMs`, then leaves the rest to their leases' end. */
export function startTaskRunner(options: TaskRunnerOptions, drainMs = 8_000): TaskRunner {
  const { database, execute, recoverOverdue, log, concurrency = 128, onMore } = options
  const pool = database.pool('worker')
  const memory = engineMemoryOf(database)
  const limits = limitMemoryOf(database)
  const attempts = { database, memory, execute, recoverOverdue, log }
  const holds = new Map<string, Hold>()
  const queue: Hold[] = []
  const idle = new Set<() => void>()
  const unwritten = new Set<Hold>()
  /** Strands whose leases ended while this process lived. */
  const outlived = new Set<string>()
  let stopping = false
  let claiming = false
  /** Whether there may be something due that the last claim did not see, and whether it came since. */
  let mayBeMore = true
  let mayBeNew = true
  /** When leases that ran out were last looked for. */
  let lookedForLost = Number.NEGATIVE_INFINITY
  let wokeAnother = Number.NEGATIVE_INFINITY
  let writing = 0
  let flushing = false
  let expressing = false
  let beginnings: NodeJS.Timeout | undefined
  let due: { timer: NodeJS.Timeout; at: number } | undefined

  const weigh = () => weighTenants(tenantsOf(holds.values()), concurrency)

  /** Claims until nothing is due or the room is taken. */
  async function claim(): Promise<void> {
    if (claiming || stopping) return
    claiming = true
    try {
      for (let request = nextClaim(); request && !stopping; request = nextClaim()) {
        if (request.passedBy.length === 0) mayBeMore = false
        mayBeNew = false
        const asked = performance.now()
        const lost = asked - lookedForLost >= LOST_MS
        if (lost) lookedForLost = asked
        const rows = await claimWithin(pool, limits, { ...request, lost })
        if (rows.length === request.most) {
          mayBeMore = true
          mayBeNew = true
          wakeAnother(asked)
        }
        if (rows.length === 0) continue
        database.announce()
        const now = performance.now()
        const until = asked + LEASE_MS
        for (const held of await memory.strands.hold(pool, rows)) begin(newHold(held, 0, now, until))
      }
    } catch (error) {
      mayBeMore = true
      log.warn({ err: error }, 'claiming failed; tried again at the next poll')
    } finally {
      claiming = false
    }
  }

  /** What to claim now, if anything: room that one tenant's many strands leave is for the others. */
  function nextClaim(): { most: number; passedBy: readonly string[] } | undefined {
    const room = Math.min(CLAIM_LIMIT, concurrency - holds.size)
    const { full, left } = weigh()
    if (room <= 0) return undefined
    if (full.length > 0) return mayBeNew ? { most: room, passedBy: full } : undefined
    // A claim costs the same for one as for many: it waits until a good part of the room is free.
    const most = Math.min(room, left)
    return mayBeMore && (mayBeNew || most >= concurrency / 4) ? { most, passedBy: [] } : undefined
  }

  /** Others look by themselves, if this is lost or too soon after the last time. */
  function wakeAnother(now: number): void {
    if (now - wokeAnother < MORE_MS) return
    wokeAnother = now
    onMore?.()
  }

  /** There may be work: look now. */
  function look(): void {
    mayBeMore = true
    mayBeNew = true
    void claim()
  }

  /** Looks again when the time has come that something of ours waits for. */
  function lookIn(ms: number): void {
    const at = performance.now() + ms
    if (stopping || ms > LONGEST_TIMER_MS || (due && due.at <= at)) return
    clearTimeout(due?.timer)
    const timer = setTimeout(
      () => {
        due = undefined
        look()
      },
      Math.max(ms, 1),
    )
    due = { timer, at }
  }

  function begin(hold: Hold): void {
    const { held } = hold
    // Claimed anew before its loss was noticed: somebody's act gave it a new fence. Or our own write has put it back in the
    // queue, and its answer comes after the claim's.
    const before = holds.get(held.id)
    if (before && !before.finished) giveUp(before, 'LEASE_LOST')
    holds.set(held.id, hold)
    if (isRunOver(held.runStatus)) return void letGo(hold, dropStrands)
    if (held.runStatus === 'paused') return void letGo(hold, parkStrands)
    const task = claimedTaskOf(held)
    if (!task)
      // In memory only the first time: a step that kills its worker is otherwise never known to have begun.
      return held.task || held.resume || !held.parentId || held.ordered || held.recoveries > 0
        ? finish(hold, undefined)
        : void beginFirst(hold)
    if (held.recoveries >= MOST_RECOVERIES) {
      const message = `Its worker was lost ${held.recoveries} times.`
      return finish(hold, { type: 'failed', error: { code: 'WORKER_LOST', message, retryable: false } })
    }
    perform(hold, task)
  }

  function perform(hold: Hold, task: ClaimedTask): void {
    hold.task = task
    hold.attempt = runAttempt(attempts, task, {
      versionId: hold.held.run.versionId,
      abort: hold.abort,
    }).then((outcome) => {
      if (holds.get(hold.held.id) !== hold) return
      // Its beginning is being written: the end comes after it.
      if (hold.finished) hold.outcome = outcome
      else finish(hold, outcome)
    })
  }

  /** A child's first task is done at once; its beginning is written with its end, or by itself when that takes long. */
  async function beginFirst(hold: Hold): Promise<void> {
    try {
      const first = await beginChild(pool, memory, hold.held, recordOptions())
      const task = first && claimedTaskOf(first.held)
      if (!first || !task) return finish(hold, undefined)
      hold.held = first.held
      hold.begun = first.begun
      unwritten.add(hold)
      beginnings ??= setTimeout(writeBeginnings, UNWRITTEN_MS)
      perform(hold, { ...task, begins: true })
    } catch (error) {
      log.warn({ err: error, strandId: hold.held.id }, 'a branch or item could not begin; its lease runs out')
      holds.delete(hold.held.id)
    }
  }

  /** Tasks that go on for longer are begun for all to see. */
  function writeBeginnings(): void {
    beginnings = undefined
    for (const hold of unwritten) {
      unwritten.delete(hold)
      if (!hold.begun || hold.finished || holds.get(hold.held.id) !== hold) continue
      hold.finished = { held: hold.held, mayContinue: true, begun: hold.begun }
      queue.push(hold)
    }
    if (queue.length > 0) flush()
  }

  async function letGo(hold: Hold, how: typeof dropStrands): Promise<void> {
    holds.delete(hold.held.id)
    await how(pool, [hold.held]).catch((error: unknown) => log.warn({ err: error }, 'letting go failed'))
    notifyIdle()
  }

  function finish(hold: Hold, outcome: AttemptOutcome | undefined): void {
    if (outcome?.type === 'put_back') {
      unwritten.delete(hold)
      return void letGo(hold, parkStrands)
    }
    const mayContinue =
      !stopping && hold.steps < CONTINUE_STEPS && performance.now() - hold.since < CONTINUE_MS
    hold.finished = {
      held: hold.held,
      mayContinue,
      ...(outcome ? { outcome } : {}),
      agentVersion: hold.task?.agentVersion,
      ...(hold.begun ? { begun: hold.begun } : {}),
    }
    unwritten.delete(hold)
    queue.push(hold)
    flush()
  }

  /**
   * What finishes in one turn of the event loop, or while the writers are busy, goes into one statement. Beside a tenant
   * with much, those with little have a writer of their own, and the others' statements are small meanwhile.
   */
  function flush(): void {
    if (flushing) return
    flushing = true
    setImmediate(() => {
      flushing = false
      const { light } = weigh()
      if (!expressing && queue.some((hold) => light.has(tenantOf(hold)))) void writeLight(light)
      const writers = light.size > 0 ? 1 : WRITERS
      if (queue.length > 0 && writing < writers) void writeOut()
    })
  }

  async function writeLight(light: ReadonlySet<string>): Promise<void> {
    expressing = true
    try {
      const mine = queue.filter((hold) => light.has(tenantOf(hold)))
      const others = queue.filter((hold) => !light.has(tenantOf(hold)))
      queue.splice(0, queue.length, ...others)
      await record(mine)
    } finally {
      expressing = false
      if (queue.length > 0) flush()
      notifyIdle()
    }
  }

  async function writeOut(): Promise<void> {
    writing += 1
    try {
      while (queue.length > 0) await record(queue.splice(0, weigh().light.size > 0 ? SMALL_BATCH : BATCH))
    } finally {
      writing -= 1
      notifyIdle()
    }
  }

  async function record(batch: Hold[]): Promise<void> {
    // What was lost while it waited here may be this process's again, under another claim: one change a strand.
    const held = batch.filter(isHeld)
    if (held.length === 0) return
    const finished = held.flatMap((hold) => hold.finished ?? [])
    const asked = performance.now()
    let recorded: Recorded
    try {
      recorded = await recordEvents(pool, memory, finished, recordOptions())
    } catch (error) {
      return isTransient(error) ? tryAgain(held, error) : isolate(held, error)
    }
    const refused = settle(held, recorded, asked)
    if (refused.length === 0) return
    try {
      await readAgain(refused)
    } catch (error) {
      if (isTransient(error)) return tryAgain(refused, error)
      log.error({ err: error, strands: refused.length }, 'what was refused cannot be read again')
      for (const hold of refused) giveUp(hold, 'REFUSED')
    }
  }

  const isHeld = (hold: Hold): boolean => holds.get(hold.held.id) === hold

  async function tryAgain(batch: readonly Hold[], error: unknown): Promise<void> {
    log.warn({ err: error, strands: batch.length }, 'recording failed; tried again')
    await new Promise((resolve) => setTimeout(resolve, RETRY_WRITE_MS))
    queue.push(...batch.filter(isHeld))
  }

  /** What limits say of going on without a claim. */
  function recordOptions(): RecordOptions {
    return {
      slots: Math.max(0, concurrency - holds.size),
      takesChildren: ({ run }) => limits.mayTakeChildren(run.organizationId),
      passesClaim: ({ run }, { agentId }) =>
        !limits.mayContinueInPlace(run.organizationId, run.workflowId, agentId),
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

  /** Goes on with what was written; answers with what was not. */
  function settle(batch: readonly Hold[], recorded: Recorded, asked: number): Hold[] {
    database.announce()
    const refused = batch.filter(({ held }) => !recorded.written.has(held.id))
    const before = new Map(batch.map((hold) => [hold.held.id, hold]))
    for (const hold of batch)
      if (recorded.written.has(hold.held.id) && isHeld(hold)) holds.delete(hold.held.id)
    for (const { after, held } of recorded.next) {
      const hold = before.get(after.id)
      const own = held.id === after.id
      if (hold?.finished?.begun && !hold.finished.outcome) {
        goOn(hold, held)
        continue
      }
      // Going on in place keeps the lease as it is.
      if (own && hold) begin(newHold(held, hold.steps + 1, hold.since, hold.until))
      else begin(newHold(held, 0, performance.now(), asked + LEASE_MS))
    }
    for (const { id } of recorded.roomy) background('releasing items', () => release(id))
    if (recorded.awaiting.length > 0) background('taking signals', () => matchSignals(recorded.awaiting))
    for (const id of recorded.ended)
      if (limits.limitsRuns(id)) background('releasing runs', () => releaseRuns(id))
    if (recorded.dueMs !== undefined) lookIn(recorded.dueMs)
    // Where limits stand, a place that became free is for what was refused one.
    if (recorded.madeReady || batch.some(({ held: { run } }) => !limits.mayTakeChildren(run.organizationId)))
      look()
    else void claim()
    return refused
  }

  /** The beginning is written while the task is being done. */
  function goOn(hold: Hold, held: HeldStrand): void {
    const { outcome } = hold
    hold.held = held
    if (hold.task) Object.assign(hold.task, { fence: held.fence, begins: false })
    delete hold.begun
    delete hold.finished
    delete hold.outcome
    holds.set(held.id, hold)
    if (outcome) finish(hold, outcome)
  }

  /** Work beside the main way, which the reconciler repeats when it fails here. */
  function background(name: string, work: () => Promise<void>): void {
    void work().catch((error: unknown) => log.warn({ err: error }, `${name} failed; the reconciler does it`))
  }

  async function release(parent: string): Promise<void> {
    if (await releaseChildren(pool, parent)) look()
  }

  async function matchSignals(strands: Recorded['awaiting']): Promise<void> {
    if ((await takeSignals(pool, strands)).length > 0) look()
  }

  async function releaseRuns(organizationId: string): Promise<void> {
    const released = await inTransaction(pool, (client) => releaseQueuedRuns(client, organizationId))
    if (released.length > 0) look()
  }

  /** Refused: the fence moved, so it is somebody else's; or only the epoch did, and what happened is decided again. */
  async function readAgain(refused: readonly Hold[]): Promise<void> {
    const rows = await rereadStrands(
      pool,
      refused.map(({ held }) => held),
    )
    const present = new Map((await memory.strands.hold(pool, rows)).map((held) => [held.id, held]))
    const again: Hold[] = []
    for (const hold of refused) {
      const held = present.get(hold.held.id)
      if (!held || !hold.finished) {
        giveUp(hold, 'REFUSED')
        continue
      }
      // Nothing was done yet: what woke the strand, or began the run, is told to who takes it up when the run goes on.
      if (held.runStatus === 'paused' && !hold.finished.outcome && !hold.begun) {
        void letGo(hold, parkStrands)
        continue
      }
      const first = hold.begun && (await beginChild(pool, memory, held, recordOptions()))
      if (hold.begun && !first) {
        giveUp(hold, 'BEGINNING_REFUSED')
        continue
      }
      if (first) {
        Object.assign(hold, { held: first.held, begun: first.begun })
        if (hold.task) Object.assign(hold.task, { id: first.held.task?.id, fence: first.held.fence })
        hold.finished = { ...hold.finished, held: first.held, begun: first.begun, mayContinue: false }
        again.push(hold)
        continue
      }
      // What was read is the database's; what had already been claimed in memory is the attempt this answer is of.
      hold.held =
        held.task && hold.held.task
          ? { ...held, task: { ...held.task, attempt: hold.held.task.attempt } }
          : held
      hold.finished = { ...hold.finished, held: hold.held, mayContinue: false }
      again.push(hold)
    }
    queue.push(...again)
  }

  /** Others' timers too: those of this process it knows itself. */
  async function lookAhead(): Promise<void> {
    const ms = await untilNextDue(pool)
    if (ms !== null) lookIn(ms)
  }

  let ahead: NodeJS.Timeout | undefined

  /** What others wrote may wait for a time: once in a while it is asked which comes first. */
  function lookAheadSoon(): void {
    ahead ??= setTimeout(
      () => {
        ahead = undefined
        if (!stopping) upkeep('looking ahead', lookAhead)()
      },
      holds.size > 0 ? AHEAD_BUSY_MS : AHEAD_MS,
    )
  }

  async function renew(): Promise<void> {
    const asked = performance.now()
    const renewed = [...holds.values()].map((hold) => ({ hold, id: hold.held.id, fence: hold.held.fence }))
    const lost = new Set(await renewLeases(pool, renewed))
    for (const { hold, id, fence } of renewed) {
      if (!lost.has(id)) hold.until = asked + LEASE_MS
      // A row that moved while we renewed may have moved by our own write, under way or done: that answers for itself.
      else if (holds.get(id) === hold && hold.held.fence === fence && !hold.finished)
        giveUp(hold, 'LEASE_LOST')
    }
    notifyIdle()
    if (outlived.size === 0) return
    const forgiven = [...outlived]
    await forgiveLosses(pool, forgiven)
    // What was lost meanwhile is forgiven the next time.
    for (const id of forgiven) outlived.delete(id)
  }

  /** Who cannot renew stops by its own clock: when the lease has ended, the work is somebody else's. */
  function watch(): void {
    const now = performance.now()
    for (const hold of holds.values()) if (hold.until <= now && !hold.finished) giveUp(hold, 'LEASE_ENDED')
  }

  function giveUp(hold: Hold, why: string): void {
    hold.abort.abort(new Error(why))
    if (why !== 'REFUSED') outlived.add(hold.held.id)
    if (holds.get(hold.held.id) === hold) holds.delete(hold.held.id)
    log.info({ strandId: hold.held.id, why }, 'a strand was lost')
    stopped(hold)
    notifyIdle()
  }

  /** If an order to stop was the reason, its record says from now on that this work has stopped. */
  function stopped({ held, attempt: over = Promise.resolve() }: Hold): void {
    void over
      .then(() => acknowledgeStop(pool, [held]))
      .catch((error: unknown) => log.warn({ err: error }, 'a stop was not acknowledged; its lease proves it'))
  }

  async function reconcile(): Promise<void> {
    for (const parent of await findRoomyParents(pool)) await release(parent)
    await matchSignals(await findAwaiting(pool))
    for (const organizationId of await queuedOrganizations(pool)) await releaseRuns(organizationId)
  }

  const upkeep = (name: string, work: () => Promise<void>) => () =>
    void work().catch((error: unknown) => log.warn({ err: error }, `${name} failed`))
  const renewal = setInterval(upkeep('renewing leases', renew), RENEW_MS)
  const watcher = setInterval(watch, WATCH_MS)
  const reconciler = setInterval(upkeep('reconciling', reconcile), RECONCILE_MS)
  const poll = setInterval(() => {
    look()
    upkeep('looking ahead', lookAhead)()
  }, POLL_MS)
  look()

  function notifyIdle(): void {
    if (holds.size > 0 || writing > 0 || expressing) return
    for (const resolve of idle) resolve()
  }

  const taker: Taker = {
    reserve(organizationId, count) {
      if (stopping) return undefined
      const own = [...holds.values()].filter((hold) => tenantOf(hold) === organizationId).length
      // Half of the room stays for what waits in the queue: who starts here has no right of way, but a tenant with little.
      const room = Math.max(concurrency / 2 - holds.size, Math.min(LITTLE - own, concurrency - holds.size))
      const most = Math.min(count, Math.floor(room))
      return most > 0 ? { claim: randomUUID(), count: most } : undefined
    },
    begin(started, asked) {
      for (const held of started) begin(newHold(held, 0, performance.now(), asked + LEASE_MS))
    },
  }
  memory.taker = taker

  return {
    wake() {
      look()
      lookAheadSoon()
    },
    get busy() {
      return holds.size
    },
    async [Symbol.asyncDispose]() {
      stopping = true
      if (memory.taker === taker) memory.taker = undefined
      clearInterval(poll)
      clearInterval(reconciler)
      clearTimeout(due?.timer)
      clearTimeout(ahead)
      clearTimeout(beginnings)
      if (holds.size > 0) {
        const limit = new Promise<void>((resolve) => setTimeout(resolve, drainMs).unref())
        await Promise.race([new Promise<void>((resolve) => idle.add(resolve)), limit])
      }
      clearInterval(renewal)
      clearInterval(watcher)
      for (const { abort } of holds.values()) abort.abort(new Error('STOPPING'))
    },
  }
}

const newHold = (held: HeldStrand, steps: number, since: number, until: number): Hold => ({
  held,
  abort: new AbortController(),
  steps,
  since,
  until,
})

const tenantOf = ({ held }: Hold): string => held.run.organizationId

function* tenantsOf(holds: Iterable<Hold>): Generator<string> {
  for (const hold of holds) yield tenantOf(hold)
}

/** Connections, resources, conflicts and shutdowns (SQLSTATE 08, 40, 53, 55, 57, 58): repeating helps. */
function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? String(error.code) : ''
  return (
    /^(08|40|53|55|57|58|E(CONN|PIPE|TIMEDOUT|HOST|NET|AI_))/.test(code) ||
    /connection (terminated|error)|timeout exceeded when trying to connect|not queryable/i.test(error.message)
  )
}
