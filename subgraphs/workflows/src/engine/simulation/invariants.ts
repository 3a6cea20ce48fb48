import type { WorkflowDefinition } from '../../definitions/index.ts'
import { canTaskBecome, isRunOver, isTaskOver, RUN_TRANSITIONS } from '../core/index.ts'
import type { ClaimedRow } from '../store/claim-strands.ts'
import { LEASE_SECONDS } from '../store/lease-seconds.ts'
import type { StrandChange } from '../store/strand-change.ts'
import type { ClaimedTask } from '../worker/claimed-task.ts'
import type { Counts } from './counts.ts'
import { LimitWatch } from './limit-watch.ts'
import { problemsAtTheEnd } from './problems-at-the-end.ts'
import { isInLine } from './store/line-up-runs.ts'
import type { RowChange, Run, Strand, Tables, Task } from './tables.ts'
import type { Invariant, Violation } from './violation.ts'

/** A join as it began: what its counters must come to is counted from the rows. */
interface JoinBegun {
  readonly needed: number
  wakes: number
}

const LAST_EVENTS = /^(task\.(completed|failed|skipped|cancelled)|run\.(completed|failed|cancelled))$/

/**
 * Watches every commit. It knows what the rows cannot tell: who really holds a strand, how often a join was woken, in
 * which order things happened.
 */
export class Invariants {
  violation: Violation | undefined
  /** By task, the number of the commit with which it can have begun at the earliest, and completed. */
  readonly begun = new Map<string, number>()
  readonly completed = new Map<string, number>()
  /** By task, when it was created, counted in tasks. */
  readonly created = new Map<string, number>()
  /** By key, what was called, how often. */
  readonly calls = new Map<string, { what: string; times: number }>()
  /** Ids of runs whose start was accepted, by key. */
  readonly accepted = new Map<string, string>()
  /** Tasks that somebody ended by hand. */
  readonly byHand = new Set<string>()
  readonly #db: Tables
  readonly #definitions: ReadonlyMap<string, WorkflowDefinition>
  readonly #counts: Counts
  readonly #holders = new Map<string, { claim: string; until: number }>()
  readonly #keys = new Map<string, string>()
  readonly #joins = new Map<string, JoinBegun>()
  readonly #ended = new Set<string>()
  /** By strand (its compound task and place), the last commit that changed it. */
  readonly #touched = new Map<string, number>()
  readonly #limits: LimitWatch
  #commits = 0

  constructor(db: Tables, definitions: ReadonlyMap<string, WorkflowDefinition>, counts: Counts) {
    this.#db = db
    this.#limits = new LimitWatch(db)
    this.#definitions = definitions
    this.#counts = counts
  }

  violate(invariant: Invariant, text: string): void {
    this.violation ??= { invariant, text }
  }

  /** A claim was answered with these strands. */
  claimed(rows: readonly ClaimedRow[], claim: string): void {
    const now = this.#db.clock()
    for (const { id, path } of rows) {
      const holder = this.#holders.get(id)
      if (holder && holder.until - 1 > now)
        this.violate('one holder a strand', `"${path}" is claimed while its lease lasts`)
      this.#holders.set(id, { claim, until: now + LEASE_SECONDS * 1_000 })
    }
  }

  /** Who started a run took its strand with it. */
  took(id: string, claim: string): void {
    this.#holders.set(id, { claim, until: this.#db.clock() + LEASE_SECONDS * 1_000 })
  }

  renewed(ids: readonly string[]): void {
    const until = this.#db.clock() + LEASE_SECONDS * 1_000
    for (const id of ids) {
      const holder = this.#holders.get(id)
      if (holder) holder.until = until
    }
  }

  /** A worker wrote; `claims`: those by which it believes to hold the strands. */
  wrote(
    changes: readonly StrandChange[],
    claims: ReadonlyMap<string, string>,
    written: ReadonlySet<string>,
  ): void {
    for (const { id, keep, strands = [] } of changes) {
      const holder = this.#holders.get(id)
      const isHolder = holder !== undefined && holder.claim === claims.get(id)
      if (!written.has(id)) {
        this.#counts.add(isHolder ? 'write refused by its epoch' : 'stale write refused')
        continue
      }
      if (!isHolder) this.violate('no stale write', `strand ${id} is written by who does not hold it`)
      if (!keep) this.#holders.delete(id)
      for (const { id: child, claim } of strands)
        if (claim !== undefined)
          this.#holders.set(child, { claim, until: this.#db.clock() + LEASE_SECONDS * 1_000 })
    }
  }

  /** A worker does a task, under this claim. */
  performs({ id, strandId, stepPath }: ClaimedTask, claim: string): void {
    const isHolder = this.#holders.get(strandId)?.claim === claim
    if (isHolder && this.#db.task.get(id)?.status === 'ready')
      this.violate('a pause holds', `${stepPath} is done although its run is paused`)
  }

  /** An outside system was called for a task. */
  called(key: string, { runId, stepPath }: ClaimedTask): void {
    const what = `${runId} ${stepPath}`
    const call = this.calls.get(key)
    if (call && call.what !== what) this.violate('one key an effect', `${call.what} and ${what} share a key`)
    const before = this.#keys.get(what)
    if (before !== undefined && before !== key)
      this.violate('one key an effect', `${what} was called with two keys`)
    this.#keys.set(what, key)
    if (call) this.#counts.add('an effect was asked for again')
    this.calls.set(key, { what, times: (call?.times ?? 0) + 1 })
  }

  /** A statement failed. */
  refused(name: string, error: unknown): void {
    const text = error instanceof Error ? error.message : String(error)
    const isUnique = error instanceof Error && error.name === 'UniqueViolation'
    this.violate(isUnique ? 'paths are unique' : 'no error', `${name}: ${text}`)
  }

  /** A worker met an error that it does not know. */
  failed(error: unknown): void {
    this.violate('no error', error instanceof Error ? (error.stack ?? error.message) : String(error))
  }

  /** A statement was committed; `events`: how many there were before it. */
  committed(name: string, events: number): void {
    const db = this.#db
    this.#commits += 1
    for (const change of db.task.changes) this.#taskChanged(name, change)
    const parents = new Set<string>()
    for (const change of db.strand.changes) this.#strandChanged(name, change, parents)
    for (const { before, after } of db.strand.changes) {
      const row = after ?? before
      if (row) this.#touched.set(`${row.run_id} ${row.parent_task_id} ${row.position}`, this.#commits)
    }
    for (const id of parents) this.#checkJoin(name, id)
    for (const change of db.run.changes) this.#runChanged(name, change)
    for (const { before, after } of db.run_signal.changes)
      if (before?.taken_at != null && after)
        this.violate('signals are taken once', `${after.name} is taken again`)
    for (const text of this.#limits.exceeded()) this.violate('limits hold', `${name}: ${text}`)
    for (const { type, subject } of db.event.slice(events)) {
      if (!LAST_EVENTS.test(type)) continue
      if (this.#ended.has(subject)) this.violate('one completion a task', `${subject} ends again: ${type}`)
      this.#ended.add(subject)
    }
  }

  /** What does not hold once nothing happens any more. */
  finish(): void {
    for (const { invariant, text } of problemsAtTheEnd(this.#db, this.#definitions, this))
      this.violate(invariant, text)
  }

  /** Tells what a statement is about to commit, a line a row. */
  describe(tell: (text: string) => void, events: number): void {
    const { run, strand, task, run_signal, event } = this.#db
    for (const { before, after } of run.changes)
      tell(`run ${after?.id} ${before?.status ?? '–'} → ${after?.status} epoch ${after?.epoch}`)
    for (const { before, after } of strand.changes) tell(describeStrand(before, after))
    for (const { before, after } of task.changes)
      tell(`task ${after?.step_path} ${before?.status ?? '–'} → ${after?.status} attempt ${after?.attempt}`)
    for (const { before, after } of run_signal.changes)
      tell(`signal ${after?.name} ${before ? 'taken' : 'sent'}`)
    for (const { type, subject } of event.slice(events)) tell(`event ${type} ${subject}`)
  }

  #taskChanged(name: string, { before, after }: RowChange<Task>): void {
    if (!after) return
    const { id, step_path: path, status, run_id } = after
    if (isIgnored(after.error) || (after.arrival?.ok === false && isIgnored(after.arrival.error)))
      this.violate('no error', `${name}: at ${path} something happened that the core ignores`)
    if (!before) {
      const { parent_id, position } = after
      this.created.set(id, this.created.size)
      // What began in memory did so before it was written: since its strand was last changed.
      const since = this.#touched.get(`${run_id} ${parent_id} ${position}`)
      this.begun.set(id, this.#beganBefore(after) && since !== undefined ? since : this.#commits)
      const run = this.#db.run.get(run_id)
      const hasEnded = run && isRunOver(run.status) && !this.#db.run.changes.some((c) => c.after === run)
      if (hasEnded) this.violate('nothing is left', `${name}: ${path} begins after its run's end`)
    } else if (isTaskOver(before.status)) {
      this.violate('one completion a task', `${name}: ${path} is ${before.status} and becomes ${status}`)
    } else if (before.status !== status && !canTaskBecome(before.status, status)) {
      this.violate('one completion a task', `${name}: ${path} is ${before.status} and becomes ${status}`)
    }
    const isPaused = this.#db.run.get(run_id)?.status === 'paused'
    if (isPaused && status === 'running' && before?.status !== 'running')
      this.violate('a pause holds', `${name}: ${path} begins in a paused run`)
    if (status === 'completed' && before?.status !== 'completed') this.completed.set(id, this.#commits)
  }

  /** Whether a task that is new was already being done: it is over, or the first of a branch or item. */
  #beganBefore({ id, status }: Task): boolean {
    if (isTaskOver(status)) return true
    const own = this.#db.strand.changes.find(({ after }) => after?.task_id === id)?.before
    return own?.status === 'running' && own.task_id === null && own.parent_id !== null
  }

  #strandChanged(name: string, { before, after }: RowChange<Strand>, parents: Set<string>): void {
    const row = after ?? before
    if (!row) return
    if (row.parent_id !== null) parents.add(row.parent_id)
    if (!after) {
      this.#holders.delete(row.id)
      return
    }
    if (before?.status === 'running' && after.status !== 'running') this.#holders.delete(row.id)
    const isHeld = after.status === 'held' && this.#db.strand.get(after.id) === after
    if (isHeld && before?.status !== 'held' && !mayBeHeld(this.#db, after))
      this.violate('a pause holds', `${name}: "${after.path}" is held, and nothing holds it`)
    if (after.pending > 0) parents.add(after.id)
    const isNewJoin = after.task_id !== null && after.pending > 0 && !this.#joins.has(after.task_id)
    if (isNewJoin && after.status === 'waiting' && after.task_id !== null) {
      const { good } = this.#arrivedAt(after.task_id)
      this.#joins.set(after.task_id, { needed: after.needed + good, wakes: 0 })
    }
    if (!before || before.status !== 'waiting' || after.status !== 'ready' || after.resume !== null) return
    const join = after.task_id === null ? undefined : this.#joins.get(after.task_id)
    if (!join) return
    join.wakes += 1
    if (join.wakes > 1) this.violate('a join fires once', `${name}: "${after.path}" is woken again`)
    if (!this.#isEnough(after, join))
      this.violate('a join fires once', `${name}: "${after.path}" is woken before enough arrived`)
  }

  /** The counters of a parent that waits are what the rows of its children say. */
  #checkJoin(name: string, id: string): void {
    const p = this.#db.strand.get(id)
    const join = p?.task_id ? this.#joins.get(p.task_id) : undefined
    if (p?.status !== 'waiting' || !join || p.task_id === null) return
    let live = 0
    let underWay = 0
    for (const c of this.#db.strand.values()) {
      if (c.parent_id !== id) continue
      live += 1
      if (c.status !== 'held' || c.task_id !== null) underWay += 1
    }
    const { good } = this.#arrivedAt(p.task_id)
    if (p.pending !== live)
      this.violate('a join fires once', `${name}: ${p.pending} of "${p.path}" pending, ${live} are there`)
    if (p.needed !== join.needed - good)
      this.violate(
        'a join fires once',
        `${name}: ${p.needed} of "${p.path}" needed, ${join.needed - good} are`,
      )
    if (this.#isEnough(p, join))
      this.violate('a join fires once', `${name}: "${p.path}" waits although enough arrived`)
    if (p.width !== null && underWay > p.width)
      this.violate('bounds hold', `${name}: ${underWay} of at most ${p.width} are under way`)
  }

  #isEnough(p: Strand, join: JoinBegun): boolean {
    const { good, bad } = this.#arrivedAt(p.task_id ?? '')
    let live = 0
    for (const c of this.#db.strand.values()) if (c.parent_id === p.id) live += 1
    return live === 0 || good >= join.needed || (p.fail_fast && bad > 0)
  }

  #arrivedAt(task: string): { good: number; bad: number } {
    let good = 0
    let bad = 0
    for (const { parent_id, arrival } of this.#db.task.values()) {
      if (parent_id !== task || !arrival) continue
      if (arrival.ok) good += 1
      else bad += 1
    }
    return { good, bad }
  }

  #runChanged(name: string, { before, after }: RowChange<Run>): void {
    if (!after) return
    const { id, status } = after
    if (!before) return
    if (before.status !== status && !RUN_TRANSITIONS[before.status].includes(status))
      this.violate('nothing is left', `${name}: run ${id} is ${before.status} and becomes ${status}`)
    if (!isRunOver(status) || isRunOver(before.status)) return
    if (isIgnored(after.error))
      this.violate('no error', `${name}: something happened to run ${id} that the core ignores`)
    this.#counts.add(`run ${status}`)
    for (const s of this.#db.strand.values())
      if (s.run_id === id) this.violate('nothing is left', `${name}: "${s.path}" is left of run ${id}`)
    for (const t of this.#db.task.values())
      if (t.run_id === id && !isTaskOver(t.status))
        this.violate('nothing is left', `${name}: ${t.step_path} is ${t.status} in run ${id}, which is over`)
  }
}

/** What a step fails with when the shell told the core of something that could not be. */
const isIgnored = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENGINE_EVENT_IGNORED'

/** Behind the bound of its map, by a pause, or by a limit on runs. */
function mayBeHeld(db: Tables, strand: Strand): boolean {
  const { run_id, parent_id, task_id } = strand
  if (isInLine(strand)) return true
  const parent = parent_id === null ? undefined : db.strand.get(parent_id)
  return db.run.get(run_id)?.status === 'paused' || (task_id === null && parent?.width != null)
}

function describeStrand(before: Strand | undefined, after: Strand | undefined): string {
  const row = after ?? before
  const what = `strand ${row?.run_id} "${row?.path}"`
  if (!after) return `${what} gone`
  const { status, fence, due_at, pending, needed } = after
  const join = pending > 0 ? ` pending ${pending} needed ${needed}` : ''
  const due = due_at === null ? '' : ` due ${due_at}`
  return `${what} ${before?.status ?? '–'} → ${status} fence ${fence}${due}${join}`
}
