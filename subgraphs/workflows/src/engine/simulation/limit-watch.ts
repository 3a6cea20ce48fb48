import { isRunOver } from '../core/index.ts'
import type { Limit, RowChange, Strand, Tables, Task } from './tables.ts'

/** Watches that no limit is exceeded: it counts what is there, and does not believe what was admitted. */
export class LimitWatch {
  readonly #db: Tables
  /** When attempts began that a rate counts, by limit. */
  readonly #starts = new Map<string, number[]>()

  constructor(db: Tables) {
    this.#db = db
  }

  /** A statement was committed; answers with what it exceeds. */
  *exceeded(): Iterable<string> {
    const { engine_limit, strand, task } = this.#db
    for (const limit of engine_limit.values()) {
      if (limit.counts === 'runs') {
        yield* this.#tooManyRuns(limit)
        continue
      }
      if (limit.max_running !== null && strand.changes.length > 0) {
        let running = 0
        for (const s of strand.values()) if (s.status === 'running' && concerns(limit, s)) running += 1
        if (running > limit.max_running)
          yield `${running} of at most ${limit.max_running} are under way (${limit.scope})`
      }
      for (const change of task.changes) yield* this.#begun(limit, change)
    }
  }

  /** Of the organization's, sub-workflows count with the run above them. */
  *#tooManyRuns({ scope, subject, max_running: most }: Limit): Iterable<string> {
    const { run, task } = this.#db
    if (most === null || run.changes.length === 0) return
    const begun = new Set([...task.values()].map(({ run_id }) => run_id))
    let count = 0
    for (const { id, status, depth, workflow_id } of run.values())
      if (
        !isRunOver(status) &&
        begun.has(id) &&
        (scope === 'workflow' ? workflow_id === subject : depth === 0)
      )
        count += 1
    if (count > most) yield `${count} of at most ${most} runs are under way (${scope})`
  }

  /** In no time `t` may more begin than `max_starts` × (1 + `t` / `per_seconds`). */
  *#begun(limit: Limit, { before, after }: RowChange<Task>): Iterable<string> {
    const { max_starts: most, per_seconds: seconds } = limit
    if (most === null || seconds === null || !after || after.agent_id === null) return
    if (after.attempt <= (before?.attempt ?? 0)) return
    const s = this.#strandAt(after.id)
    if (!s || !concerns(limit, { ...s, agent_id: after.agent_id })) return
    const starts = this.#starts.get(limit.id) ?? []
    this.#starts.set(limit.id, starts)
    const now = this.#db.clock()
    starts.push(now)
    for (const [index, since] of starts.entries()) {
      const count = starts.length - index
      if (count > most * (1 + (now - since) / 1_000 / seconds) + 1e-6)
        return yield `${count} began in ${now - since} ms, at most ${most} in ${seconds} s (${limit.scope})`
    }
  }

  #strandAt(task: string): Strand | undefined {
    for (const s of this.#db.strand.values()) if (s.task_id === task) return s
    return undefined
  }
}

function concerns({ scope, subject }: Limit, s: Strand): boolean {
  switch (scope) {
    case 'organization':
      return true
    case 'workflow':
      return s.workflow_id === subject
    case 'agent':
      return s.agent_id === subject
    case 'key':
      return s.limit_key === subject
  }
}
