import { type Signal, type Snapshot, type Strand, type Tables, timestamp, moment } from '../tables.ts'

/** The statement of `engine/take-signals.ts`, part by part, under the names that the parts have there. */
export interface SignalRules {
  /** Strands that wait for a signal and whose signal has come: for the reconciler. */
  awaiting(db: Tables): string[]
  pair(db: Tables, then: Snapshot, strands: readonly string[]): { w: Strand; g: Signal }[]
  taken(db: Tables, signal: Signal): void
  /** Whether the run of a strand is paused, as far as the statement sees it. */
  isPaused(db: Tables, then: Snapshot, run: string): boolean
}

export const SIGNALS: SignalRules = {
  awaiting: (db) =>
    [...db.strand.values()].flatMap((s) =>
      s.status === 'waiting' && [...sent(db, s)].length > 0 ? [s.id] : [],
    ),

  pair(db, _then, strands) {
    const waiting = strands
      .flatMap((id) => db.strand.get(id) ?? [])
      .filter((s) => s.status === 'waiting' && s.wait_key?.startsWith('signal:'))
      .toSorted((a, b) => ((a.task_id ?? '') < (b.task_id ?? '') ? -1 : 1))
    const given = new Set<string>()
    return waiting.flatMap((w) => {
      const g = [...sent(db, w)].find(({ id }) => !given.has(id))
      if (!g) return []
      given.add(g.id)
      return [{ w, g }]
    })
  },

  taken(db, signal) {
    db.run_signal.update(signal.id, { taken_at: timestamp(db.clock()) })
  },

  isPaused: (db, _then, run) => db.run.get(run)?.status === 'paused',
}

/** Gives signals that nobody took to strands that wait for them; answers with those it woke. */
export function takeSignals(
  db: Tables,
  then: Snapshot,
  rules: SignalRules,
  strands: readonly string[],
): string[] {
  const pairs = rules.pair(db, then, strands)
  for (const { w, g } of pairs) {
    rules.taken(db, g)
    const paused = rules.isPaused(db, then, w.run_id)
    const t = w.task_id === null ? undefined : db.task.get(w.task_id)
    db.strand.update(w.id, {
      status: paused ? 'held' : 'ready',
      due_at: paused ? null : moment(db.clock()),
      resume: { type: 'wait_over', node: t?.node_id ?? '', payload: g.payload },
      wait_key: null,
      fence: w.fence + 1n,
    })
  }
  return pairs.map(({ w }) => w.id)
}

/** Signals to a strand's run of the name it waits for, that nobody took, the oldest first. */
function* sent(db: Tables, { run_id, wait_key }: Strand): Iterable<Signal> {
  if (!wait_key?.startsWith('signal:')) return
  const name = wait_key.slice(7)
  for (const g of db.run_signal.values())
    if (g.run_id === run_id && g.name === name && g.taken_at === null) yield g
}
