import type { LimitScope } from '../../limits/limit-rule.ts'
import type { Arrival, CoreEvent, RunStatus, TaskStatus } from '../core/index.ts'

/** Rows as the database has them, under its names; times are milliseconds since 1970 on its clock. */
export interface Run {
  readonly id: string
  readonly workflow_id: string
  readonly version_id: string
  readonly status: RunStatus
  readonly epoch: number
  readonly input: Readonly<Record<string, unknown>>
  readonly output: unknown
  readonly error: unknown
  readonly state: unknown
  readonly priority: number
  readonly depth: number
  readonly parent_run_id: string | null
  readonly parent_task_id: string | null
  readonly parent_strand_id: string | null
  /** A pause of the run above paused it, and resuming that resumes it. */
  readonly paused_with_parent: boolean
  readonly idempotency_key: string | null
  readonly created_at: number
  readonly ended_at: number | null
}

export interface Strand {
  readonly id: string
  readonly run_id: string
  readonly workflow_id: string
  readonly limit_key: string | null
  readonly parent_id: string | null
  readonly parent_task_id: string | null
  readonly compound: string | null
  readonly key: string | null
  readonly position: number | null
  readonly path: string
  readonly state: Readonly<Record<string, unknown>>
  readonly task_id: string | null
  readonly agent_id: string | null
  readonly status: 'ready' | 'running' | 'waiting' | 'held'
  readonly due_at: number | null
  readonly fence: bigint
  readonly claim_id: string | null
  readonly recoveries: number
  readonly resume: CoreEvent | null
  readonly wait_key: string | null
  readonly pending: number
  readonly needed: number
  readonly fail_fast: boolean
  readonly width: number | null
  readonly priority: number
  readonly generation: number
}

export interface Task {
  readonly id: string
  readonly run_id: string
  readonly step_path: string
  readonly generation: number
  readonly node_id: string
  readonly kind: string
  readonly agent_id: string | null
  readonly agent_name: string | null
  readonly status: TaskStatus
  readonly attempt: number
  readonly input: Readonly<Record<string, unknown>>
  readonly timeout_ms: number
  readonly parent_id: string | null
  readonly position: number | null
  readonly arrival: Arrival | null
  readonly output: unknown
  readonly error: unknown
  readonly approval_id: string | null
  readonly created_at: number
  readonly ended_at: number | null
}

export interface Signal {
  readonly id: string
  readonly run_id: string
  readonly name: string
  readonly payload: unknown
  readonly taken_at: number | null
}

/** A limit on tasks or runs under way, or on attempts that begin in a time: `max_starts` in `per_seconds`. */
export interface Limit {
  readonly id: string
  readonly scope: LimitScope
  readonly counts: 'tasks' | 'runs'
  readonly subject: string
  readonly max_running: number | null
  readonly max_starts: number | null
  readonly per_seconds: number | null
  readonly tokens: number
  readonly refilled_at: number
}

/** A row of the event log. */
export interface LoggedEvent {
  readonly type: string
  readonly subject: string
  readonly data: unknown
  readonly run_id: string
}

/** What a statement can read of a table. */
export interface Readable<Row> {
  get(id: string): Row | undefined
  values(): Iterable<Row>
}

/** The tables as a statement sees them. */
export interface Snapshot {
  readonly run: Readable<Run>
  readonly strand: Readable<Strand>
  readonly task: Readable<Task>
  readonly run_signal: Readable<Signal>
}

/** What a statement did to one row. */
export interface RowChange<Row> {
  readonly before: Row | undefined
  readonly after: Row | undefined
}

/** A table whose rows are replaced, never changed, so that a copy of it stays what it was. */
export class Table<Row extends { readonly id: string }> implements Readable<Row> {
  /** Since the last {@link commit}, in order. */
  changes: RowChange<Row>[] = []
  readonly #name: string
  readonly #rows = new Map<string, Row>()
  readonly #updated = new Set<string>()

  constructor(name: string) {
    this.#name = name
  }

  get(id: string): Row | undefined {
    return this.#rows.get(id)
  }

  values(): Iterable<Row> {
    return this.#rows.values()
  }

  insert(row: Row): void {
    if (this.#rows.has(row.id)) throw new UniqueViolation(`${this.#name} ${row.id}`)
    this.#rows.set(row.id, row)
    this.changes.push({ before: undefined, after: row })
  }

  /** @throws Error when the statement has updated the row before: PostgreSQL would leave out one of the two. */
  update(id: string, change: Partial<Row>): void {
    const before = this.#rows.get(id)
    if (!before) return
    if (this.#updated.has(id)) throw new Error(`${this.#name} ${id} is updated twice by one statement.`)
    this.#updated.add(id)
    const after = { ...before, ...change }
    this.#rows.set(id, after)
    this.changes.push({ before, after })
  }

  delete(id: string): void {
    const before = this.#rows.get(id)
    if (!before) return
    this.#rows.delete(id)
    this.changes.push({ before, after: undefined })
  }

  copy(): Readable<Row> {
    return new Map(this.#rows)
  }

  endStatement(): void {
    this.#updated.clear()
  }

  commit(): void {
    this.changes = []
    this.#updated.clear()
  }

  rollback(): void {
    for (const { before, after } of this.changes.toReversed()) {
      if (before) this.#rows.set(before.id, before)
      else if (after) this.#rows.delete(after.id)
    }
    this.commit()
  }
}

/** A second row with a key that there is to be once. */
export class UniqueViolation extends Error {
  constructor(what: string) {
    super(`${what} is there twice`)
    this.name = 'UniqueViolation'
  }
}

/** The tables of the engine. */
export class Tables implements Snapshot {
  readonly run = new Table<Run>('run')
  readonly strand = new Table<Strand>('strand')
  readonly task = new Table<Task>('task')
  readonly run_signal = new Table<Signal>('run_signal')
  readonly engine_limit = new Table<Limit>('engine_limit')
  readonly event: LoggedEvent[] = []
  readonly #paths = new Set<string>()
  readonly #tables = [this.run, this.strand, this.task, this.run_signal, this.engine_limit]
  /** The database's clock, milliseconds since 1970. */
  readonly clock: () => number

  constructor(clock: () => number) {
    this.clock = clock
  }

  /** A task's path is there once in its run and generation. */
  insertTask(row: Task): void {
    const key = `${row.run_id} ${row.step_path} ${row.generation}`
    if (this.#paths.has(key)) throw new UniqueViolation(`task ${key}`)
    this.#paths.add(key)
    this.task.insert(row)
  }

  /** What a statement that begins now reads, whatever is committed while it waits for locks. */
  snapshot(): Snapshot {
    return {
      run: this.run.copy(),
      strand: this.strand.copy(),
      task: this.task.copy(),
      run_signal: this.run_signal.copy(),
    }
  }

  endStatement(): void {
    for (const table of this.#tables) table.endStatement()
  }

  commit(): void {
    for (const table of this.#tables) table.commit()
  }

  /** Takes back what was not committed; `events`: how many there were. */
  rollback(events: number): void {
    for (const { before, after } of this.task.changes)
      if (after && !before) this.#paths.delete(`${after.run_id} ${after.step_path} ${after.generation}`)
    for (const table of this.#tables) table.rollback()
    this.event.length = events
  }
}

/** A `timestamptz(3)`: whole milliseconds. */
export const timestamp = (ms: number): number => Math.round(ms)

/** A `timestamptz(6)`: milliseconds to the thousandth. */
export const moment = (ms: number): number => Math.round(ms * 1_000) / 1_000
