import { isRunOver } from '../core/index.ts'
import { contextOf, heldOf } from '../store/hold-strands.ts'
import type { ClaimedRow } from '../store/claim-strands.ts'
import type { HeldStrand } from '../store/held-strand.ts'
import type { PlannedChange } from '../store/plan-transitions.ts'
import { type ClaimedTask, claimedTaskOf } from '../worker/claimed-task.ts'
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
} from '../worker/pace.ts'
import { execute } from './agents.ts'
import type { Beginning } from './beginning.ts'
import type { Coroutine } from './coroutine.ts'
import type { Process } from './process.ts'
import { type Outcome, type Recorded, type Recording, Recorder } from './record-events.ts'
import { releaseChildren } from './store/children.ts'
import { claimWithin } from './store/find-room.ts'
import type { Scope, State } from './store/read-strands.ts'
import { dropStrands, parkStrands } from './store/let-go.ts'
import { startRun } from './store/outside.ts'
import { releaseQueuedRuns } from './store/line-up-runs.ts'
import { takeSignals } from './store/take-signals.ts'
import { CONNECTION_LOST, query, type World } from './world.ts'

interface Hold {
  held: HeldStrand
  /** The claim under which it is held: what the invariants know it by. */
  readonly claim: string
  steps: number
  since: number
  until: number
  finished?: Recording | undefined
  begun?: PlannedChange | undefined
  outcome?: Outcome | undefined
}

/**
 * One process's hands: the shell of `engine/worker/task-runner.ts`, turn by turn, under its names. What is waited for
 * there with `await` is waited for here with `yield*`, and may never come.
 */
export class Worker {
  readonly process: Process
  readonly #world: World
  readonly #recorder: Recorder
  readonly #concurrency: number
  readonly #holds = new Map<string, Hold>()
  readonly #unwritten = new Set<Hold>()
  /** Strands whose leases ended while this process lived. */
  readonly #outlived = new Set<string>()
  readonly #scopes = new Map<string, Scope>()
  readonly #timers = new Set<string>()
  #queue: Hold[] = []
  #claiming = false
  #mayBeMore = true
  #mayBeNew = true
  #lookedForLost = Number.NEGATIVE_INFINITY
  #writing = 0
  #flushing = false
  #due: number | undefined
  #renewing = false
  #watching = false

  constructor(world: World, process: Process, concurrency: number) {
    this.#world = world
    this.process = process
    this.#recorder = new Recorder(world, process)
    this.#concurrency = concurrency
    this.#every(POLL_MS, () => this.wake())
    this.#every(RECONCILE_MS, () => this.#background(this.#reconcile()))
    this.wake()
  }

  get busy(): number {
    return this.#holds.size
  }

  /** There may be work: look at once. */
  wake(): void {
    this.#mayBeMore = true
    this.#mayBeNew = true
    this.#background(this.#claim())
  }

  /** Somebody starts a run in this process: it begins what it has room for. */
  start(what: Beginning, answered: (id: string) => void): void {
    this.#background(this.#startRun(what, answered))
  }

  *#startRun(what: Beginning, answered: (id: string) => void): Coroutine<void> {
    const { store, worker, invariants, counts } = this.#world
    const asked = this.process.monotonic
    const claim = this.#mayTake() ? this.#recorder.newId() : undefined
    const { start, next } = this.#recorder.planStart({ ...what, ...(claim === undefined ? {} : { claim }) })
    const { id, createdAt } = yield* query(this.#world, this.process, {
      name: 'start and begin',
      work: (db) => {
        const run = startRun(db, store.outside, start)
        if (run.id === start.id && claim !== undefined && next.length > 0)
          invariants.took(start.strand.id, claim)
        return run
      },
    })
    answered(id)
    if (id !== start.id || claim === undefined || next.length === 0) return this.#world.nudge()
    counts.add('begun by who started it')
    const now = this.process.monotonic
    for (const each of next) {
      const held = {
        ...each,
        run: { ...each.run, createdAt: worker.startedAt(each.run.createdAt, createdAt) },
      }
      this.#begin({ held, claim, steps: 0, since: now, until: asked + LEASE_MS })
    }
  }

  /** `reserve`: half of the room stays for what waits in the queue. */
  #mayTake(): boolean {
    const held = this.#holds.size
    return Math.max(this.#concurrency / 2 - held, Math.min(LITTLE, this.#concurrency) - held) >= 1
  }

  #every(ms: number, act: () => void): void {
    this.process.after(ms, () => {
      act()
      this.#every(ms, act)
    })
  }

  /** Work whose failure is mended by a repetition. */
  #background(work: Coroutine<void>): void {
    this.process.run(work, (error) => {
      if (error !== CONNECTION_LOST) this.#world.invariants.failed(error)
    })
  }

  *#claim(): Coroutine<void> {
    if (this.#claiming) return
    this.#claiming = true
    try {
      for (let limit = this.#room(); limit > 0; limit = this.#room()) {
        this.#mayBeMore = false
        this.#mayBeNew = false
        const asked = this.process.monotonic
        const lost = asked - this.#lookedForLost >= LOST_MS
        if (lost) this.#lookedForLost = asked
        const claim = this.#recorder.newId()
        const { store, invariants } = this.#world
        const rows = yield* query(this.#world, this.process, {
          name: 'claim',
          statement: { type: 'claim', limit, claim, lost },
          work: (db, then) => {
            const timers = this.#timers
            const claimed = claimWithin(db, then, store, { limit, claim, lost, timers })
            invariants.claimed(claimed, claim)
            return claimed
          },
        })
        if (rows.length === limit) {
          this.#mayBeMore = true
          this.#mayBeNew = true
          this.#world.nudge()
        }
        if (rows.length === 0) continue
        const now = this.process.monotonic
        for (const held of yield* this.#hold(rows))
          this.#begin({ held, claim, steps: 0, since: now, until: asked + LEASE_MS })
      }
    } catch (error) {
      this.#mayBeMore = true
      if (error !== CONNECTION_LOST) this.#world.invariants.failed(error)
    } finally {
      this.#claiming = false
    }
  }

  /** `nextClaim`: how many to claim now. A claim waits until a good part of the room is free, unless there is news. */
  #room(): number {
    const room = this.#concurrency - this.#holds.size
    return this.#mayBeMore && (this.#mayBeNew || room >= this.#concurrency / 4) ? room : 0
  }

  /** `StrandReader.hold`: the states around are frozen while they are seen, so they are read once. */
  *#hold(rows: readonly ClaimedRow[]): Coroutine<HeldStrand[]> {
    const missing = rows.flatMap(({ parent_id, parent_task_id }) =>
      parent_id !== null && parent_task_id !== null && !this.#scopes.has(parent_task_id) ? [parent_id] : [],
    )
    if (missing.length > 0) {
      const found = yield* query(this.#world, this.process, {
        name: 'read around',
        work: (_db, then) => this.#world.store.read.around(then, missing),
      })
      for (const [task, scope] of found) this.#scopes.set(task, scope)
    }
    return rows.map((row) =>
      heldOf(row, contextOf(row, row.run_input ?? {}), this.#outerOf(row.parent_task_id)),
    )
  }

  #outerOf(parentTaskId: string | null): State[] {
    const states: State[] = []
    for (let id = parentTaskId; id !== null;) {
      const scope = this.#scopes.get(id)
      if (!scope) break
      states.push(scope.state)
      id = scope.parentTaskId
    }
    return states
  }

  #begin(hold: Hold): void {
    const { held } = hold
    const before = this.#holds.get(held.id)
    if (before && !before.finished) this.#giveUp(before, 'lease lost')
    this.#holds.set(held.id, hold)
    this.#keepUp()
    if (isRunOver(held.runStatus)) return this.#letGo(hold, 'drop')
    if (held.runStatus === 'paused' && this.#world.worker.parks) return this.#letGo(hold, 'park')
    const task = claimedTaskOf(held)
    if (!task)
      return held.task || held.resume || !held.parentId || this.#isUnsafe(held)
        ? this.#finish(hold, undefined)
        : this.#beginFirst(hold)
    if (held.recoveries >= MOST_RECOVERIES) {
      const message = `Its worker was lost ${held.recoveries} times.`
      return this.#finish(hold, { type: 'failed', error: { code: 'WORKER_LOST', message, retryable: false } })
    }
    this.#perform(hold, task)
  }

  #isUnsafe({ recoveries }: HeldStrand): boolean {
    return recoveries > 0 && !this.#world.worker.beginsUnseenAgain
  }

  #perform(hold: Hold, task: ClaimedTask): void {
    const { process } = this
    const attempt = { over: false }
    const end = (outcome: Outcome) => {
      if (attempt.over) return
      attempt.over = true
      if (this.#holds.get(hold.held.id) !== hold) {
        this.#world.counts.add('an answer came after the lease was given up')
        return
      }
      if (hold.finished) hold.outcome = outcome
      else this.#finish(hold, outcome)
    }
    process.after(task.timeoutMs, () => end({ type: 'timed_out' }))
    this.#world.invariants.performs(task, hold.claim)
    execute(this.#world, process, task, end)
  }

  #beginFirst(hold: Hold): void {
    const first = this.#recorder.beginChild(hold.held)
    const task = first && claimedTaskOf(first.held)
    if (!first || !task) return this.#finish(hold, undefined)
    hold.held = first.held
    hold.begun = first.begun
    this.#unwritten.add(hold)
    this.process.after(UNWRITTEN_MS, () => this.#writeBeginning(hold))
    this.#perform(hold, task)
  }

  #writeBeginning(hold: Hold): void {
    if (!this.#unwritten.delete(hold)) return
    if (!hold.begun || hold.finished || this.#holds.get(hold.held.id) !== hold) return
    const { held, claim, begun } = hold
    hold.finished = { held, claim, mayContinue: true, begun }
    this.#queue.push(hold)
    this.#flush()
  }

  #letGo(hold: Hold, how: 'drop' | 'park'): void {
    this.#holds.delete(hold.held.id)
    const { letGo } = this.#world.store
    const act = how === 'drop' ? dropStrands : parkStrands
    this.#background(
      query(this.#world, this.process, {
        name: how,
        statement: { type: how, held: [hold.held] },
        work: (db) => act(db, letGo, [hold.held]),
      }),
    )
  }

  #finish(hold: Hold, outcome: Outcome | undefined): void {
    const mayContinue = hold.steps < CONTINUE_STEPS && this.process.monotonic - hold.since < CONTINUE_MS
    hold.finished = {
      held: hold.held,
      claim: hold.claim,
      mayContinue,
      ...(outcome ? { outcome } : {}),
      ...(hold.begun ? { begun: hold.begun } : {}),
    }
    this.#unwritten.delete(hold)
    this.#queue.push(hold)
    this.#flush()
  }

  #flush(): void {
    if (this.#flushing || this.#writing >= WRITERS) return
    this.#flushing = true
    this.process.after(0, () => {
      this.#flushing = false
      this.#background(this.#writeOut())
    })
  }

  *#writeOut(): Coroutine<void> {
    this.#writing += 1
    try {
      while (this.#queue.length > 0) {
        const batch = this.#queue.filter((hold) => this.#holds.get(hold.held.id) === hold)
        this.#queue = []
        if (batch.length > 0) yield* this.#record(batch)
      }
    } finally {
      this.#writing -= 1
    }
  }

  *#record(batch: readonly Hold[]): Coroutine<void> {
    const finished = batch.flatMap((hold) => hold.finished ?? [])
    const asked = this.process.monotonic
    const slots = Math.max(0, this.#concurrency - this.#holds.size)
    let refused: readonly Hold[] = batch
    try {
      const recorded = yield* this.#recorder.recordEvents(finished, slots)
      const left = this.#settle(batch, recorded, asked)
      refused = left
      if (left.length > 0) yield* this.#readAgain(left)
    } catch (error) {
      if (error !== CONNECTION_LOST) return this.#world.invariants.failed(error)
      yield* this.process.sleep(RETRY_WRITE_MS)
      this.#queue.push(...refused.filter((hold) => this.#holds.get(hold.held.id) === hold))
    }
  }

  #settle(batch: readonly Hold[], recorded: Recorded, asked: number): Hold[] {
    const before = new Map(batch.map((hold) => [hold.held.id, hold]))
    for (const hold of batch)
      if (recorded.written.has(hold.held.id) && this.#holds.get(hold.held.id) === hold)
        this.#holds.delete(hold.held.id)
    for (const { after, held, claim } of recorded.next) {
      const hold = before.get(after.id)
      if (hold?.finished?.begun && !hold.finished.outcome) {
        this.#goOn(hold, held)
        continue
      }
      const now = this.process.monotonic
      if (held.id === after.id && hold)
        this.#begin({ held, claim, steps: hold.steps + 1, since: hold.since, until: hold.until })
      else this.#begin({ held, claim, steps: 0, since: now, until: asked + LEASE_MS })
    }
    for (const { id } of recorded.roomy) this.#background(this.#release(id))
    if (recorded.awaiting.length > 0 && this.#world.worker.looksForSignals)
      this.#background(this.#matchSignals(recorded.awaiting))
    if (recorded.ended && this.#world.limitsRuns) this.#background(this.#releaseRuns())
    for (const id of recorded.timers) this.#timers.add(id)
    if (recorded.dueMs !== undefined) this.#lookIn(recorded.dueMs)
    // Where limits stand, a place that became free is for what was refused one.
    if (recorded.madeReady || this.#world.hasLimits) this.wake()
    else this.#background(this.#claim())
    return batch.filter(({ held }) => !recorded.written.has(held.id))
  }

  #goOn(hold: Hold, held: HeldStrand): void {
    const { outcome } = hold
    hold.held = held
    hold.begun = undefined
    hold.finished = undefined
    hold.outcome = undefined
    this.#holds.set(held.id, hold)
    if (outcome) this.#finish(hold, outcome)
  }

  #lookIn(ms: number): void {
    const at = this.process.monotonic + Math.max(ms, 1)
    if (this.#due !== undefined && this.#due <= at) return
    this.#due = at
    this.process.after(Math.max(ms, 1), () => {
      if (this.#due !== at) return
      this.#due = undefined
      this.wake()
    })
  }

  *#release(parent: string): Coroutine<void> {
    const released = yield* query(this.#world, this.process, {
      name: 'release',
      statement: { type: 'release', parent },
      work: (db, then) => releaseChildren(db, then, this.#world.store.children, parent),
    })
    if (released) this.wake()
  }

  *#matchSignals(strands: readonly string[]): Coroutine<void> {
    const woken = yield* query(this.#world, this.process, {
      name: 'take signals',
      statement: { type: 'take signals', strands },
      work: (db, then) => takeSignals(db, then, this.#world.store.signals, strands),
    })
    if (woken.length > 0) this.wake()
  }

  *#releaseRuns(): Coroutine<void> {
    const released = yield* query(this.#world, this.process, {
      name: 'release runs',
      isTransaction: true,
      work: (db) => releaseQueuedRuns(db, this.#world.store.line),
    })
    if (released > 0) this.wake()
  }

  *#readAgain(refused: readonly Hold[]): Coroutine<void> {
    const rows = yield* query(this.#world, this.process, {
      name: 'reread',
      statement: { type: 'reread', held: refused.map(({ held }) => held) },
      work: (db, then) =>
        this.#world.store.claim.reread(
          db,
          then,
          refused.map(({ held }) => held),
        ),
    })
    const present = new Map((yield* this.#hold(rows)).map((held) => [held.id, held]))
    for (const hold of refused) {
      const held = present.get(hold.held.id)
      if (!held || !hold.finished) {
        this.#giveUp(hold, 'refused')
        continue
      }
      const isUndone = !hold.finished.outcome && !hold.begun
      if (held.runStatus === 'paused' && isUndone && this.#world.worker.parksWhatWasRefused) {
        this.#letGo(hold, 'park')
        continue
      }
      const first = hold.begun && this.#recorder.beginChild(held)
      if (hold.begun && !first) {
        this.#giveUp(hold, 'beginning refused')
        continue
      }
      this.#world.counts.add('decided again by a new epoch')
      if (first) {
        hold.held = first.held
        hold.begun = first.begun
        hold.finished = { ...hold.finished, held: first.held, begun: first.begun, mayContinue: false }
      } else {
        hold.held =
          held.task && hold.held.task
            ? { ...held, task: { ...held.task, attempt: hold.held.task.attempt } }
            : held
        hold.finished = { ...hold.finished, held: hold.held, mayContinue: false }
      }
      this.#queue.push(hold)
    }
  }

  /** Renewal and watch, while there is something to renew. */
  #keepUp(): void {
    if (!this.#renewing) {
      this.#renewing = true
      this.process.after(RENEW_MS, () => {
        this.#renewing = false
        if (this.#holds.size === 0 && this.#outlived.size === 0) return
        this.#keepUp()
        this.#background(this.#renew())
      })
    }
    if (this.#watching || this.#holds.size === 0) return
    this.#watching = true
    const first = Math.min(...[...this.#holds.values()].map(({ until }) => until))
    this.process.after(Math.max(WATCH_MS, first - this.process.monotonic), () => {
      this.#watching = false
      this.#watch()
      if (this.#holds.size > 0) this.#keepUp()
    })
  }

  *#renew(): Coroutine<void> {
    const asked = this.process.monotonic
    const renewed = [...this.#holds.values()]
    if (renewed.length > 0) yield* this.#renewAll(renewed, asked)
    if (this.#outlived.size === 0) return
    const outlived = [...this.#outlived]
    yield* query(this.#world, this.process, {
      name: 'forgive',
      statement: { type: 'forgive', ids: outlived },
      work: (db) => this.#world.store.claim.forgiven(db, outlived),
    })
    this.#outlived.clear()
  }

  *#renewAll(renewed: readonly Hold[], asked: number): Coroutine<void> {
    const { store, invariants } = this.#world
    const held = renewed.map((hold) => ({ id: hold.held.id, fence: hold.held.fence }))
    const lost = yield* query(this.#world, this.process, {
      name: 'renew',
      statement: { type: 'renew', held },
      work: (db) => {
        const ids = new Set(store.claim.renewed(db, held))
        invariants.renewed(renewed.filter((hold) => !ids.has(hold.held.id)).map((hold) => hold.held.id))
        return ids
      },
    })
    for (const hold of renewed) {
      if (!lost.has(hold.held.id)) hold.until = asked + LEASE_MS
      else if (this.#holds.get(hold.held.id) === hold && !hold.finished) this.#giveUp(hold, 'lease lost')
    }
  }

  #watch(): void {
    const now = this.process.monotonic
    for (const hold of this.#holds.values())
      if (hold.until <= now && !hold.finished) this.#giveUp(hold, 'lease ended')
  }

  #giveUp(hold: Hold, why: string): void {
    this.#world.counts.add(`given up: ${why}`)
    if (why !== 'refused') this.#outlived.add(hold.held.id)
    if (this.#holds.get(hold.held.id) === hold) this.#holds.delete(hold.held.id)
  }

  *#reconcile(): Coroutine<void> {
    const { store, worker } = this.#world
    if (!worker.reconciles) return
    const [roomy, awaiting] = yield* query(this.#world, this.process, {
      name: 'reconcile',
      statement: { type: 'reconcile' },
      work: (db) => [store.children.roomyParents(db), store.signals.awaiting(db)] as const,
    })
    for (const parent of roomy) yield* this.#release(parent)
    if (awaiting.length > 0) yield* this.#matchSignals(awaiting)
    if (this.#world.limitsRuns) yield* this.#releaseRuns()
  }
}
