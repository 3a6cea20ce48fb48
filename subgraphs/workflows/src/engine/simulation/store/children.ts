import { isRunOver } from '../../core/index.ts'
import type { CancelledParent } from '../../store/children.ts'
import { type Snapshot, type Strand, type Tables, timestamp, moment } from '../tables.ts'

export type Doomed = Strand & { readonly is_run: boolean }

/** The statements of `engine/store/children.ts`, part by part, under the names that the parts have there. */
export interface ChildrenRules {
  /** How many more of a parent's children may be under way. */
  room(then: Snapshot, parent: Strand): number
  chosen(then: Snapshot, parent: Strand, room: number): Strand[]
  roomyParents(db: Tables): string[]
  /** Everything below the given tasks, sub-runs that are waited for too, as far as the statement sees it. */
  doomed(db: Tables, then: Snapshot, parents: readonly CancelledParent[]): Doomed[]
  gone(db: Tables, locked: readonly Strand[]): void
  cancelled(db: Tables, then: Snapshot, locked: readonly Strand[]): void
  /** Sub-runs, by the ids of their doomed main lines. */
  runs(db: Tables, ended: readonly Strand[]): void
}

export const CHILDREN: ChildrenRules = {
  room(then, { id, width }) {
    let underWay = 0
    for (const c of then.strand.values())
      if (c.parent_id === id && (c.status !== 'held' || c.task_id !== null)) underWay += 1
    return (width ?? 0) - underWay
  },

  chosen: (then, { id }, room) =>
    [...then.strand.values()]
      .filter((c) => c.parent_id === id && c.status === 'held' && c.task_id === null)
      .toSorted((a, b) => (a.position ?? 0) - (b.position ?? 0))
      .slice(0, Math.max(room, 0)),

  roomyParents: (db) =>
    [...db.strand.values()].flatMap((s) =>
      s.width !== null && s.status === 'waiting' && s.pending > 0 && !isAnyUnderWay(db, s.id) ? [s.id] : [],
    ),

  // Locked until a look finds nothing new, and read again then: so what is committed by that time counts.
  doomed: (db, _then, parents) => below(db, parents),

  gone(db, locked) {
    for (const l of locked) db.strand.delete(l.id)
  },

  cancelled(db, _then, locked) {
    for (const l of locked) {
      const t = l.task_id === null ? undefined : db.task.get(l.task_id)
      if (!t || (t.status !== 'ready' && t.status !== 'running' && t.status !== 'waiting')) continue
      db.task.update(t.id, { status: 'cancelled', ended_at: timestamp(db.clock()) })
      db.event.push({ type: 'task.cancelled', subject: `task/${t.id}`, data: {}, run_id: l.run_id })
    }
  },

  runs(db, ended) {
    for (const { run_id, state } of ended) {
      const r = db.run.get(run_id)
      if (!r || isRunOver(r.status)) continue
      const error = { code: 'RUN_CANCELLED', message: 'The step that waited for it ended.' }
      const ended_at = timestamp(db.clock())
      db.run.update(run_id, { status: 'cancelled', epoch: r.epoch + 1, ended_at, state, error })
      db.event.push({ type: 'run.cancelled', subject: `run/${run_id}`, data: {}, run_id })
    }
  },
}

/** Lets as many held children of a parent go on as its width allows. */
export function releaseChildren(db: Tables, then: Snapshot, rules: ChildrenRules, parentId: string): boolean {
  const parent = db.strand.get(parentId)
  if (!then.strand.get(parentId) || parent?.status !== 'waiting' || parent.width === null) return false
  let released = false
  for (const { id } of rules.chosen(then, parent, rules.room(then, parent))) {
    if (db.strand.get(id)?.status !== 'held') continue
    db.strand.update(id, { status: 'ready', due_at: moment(db.clock()) })
    released = true
  }
  return released
}

/** Ends everything below the given tasks. */
export function cancelBelow(
  db: Tables,
  then: Snapshot,
  rules: ChildrenRules,
  parents: readonly CancelledParent[],
): void {
  const doomed = rules.doomed(db, then, parents)
  const locked = doomed.flatMap(({ id }) => db.strand.get(id) ?? [])
  rules.gone(db, locked)
  rules.cancelled(db, then, locked)
  rules.runs(
    db,
    doomed.filter((d) => d.is_run),
  )
}

/** The strands below tasks, as a snapshot has them. */
export function below(then: Snapshot, parents: readonly CancelledParent[]): Doomed[] {
  const found: Doomed[] = []
  for (let level = parents; level.length > 0;) {
    const next = level.flatMap((x) => [...childrenOf(then, x)])
    found.push(...next)
    level = next.flatMap(({ id, task_id }) => (task_id === null ? [] : [{ strand: id, task: task_id }]))
  }
  return found
}

function* childrenOf(then: Snapshot, { strand, task }: CancelledParent): Iterable<Doomed> {
  for (const s of then.strand.values()) {
    if (s.parent_id === strand && s.parent_task_id === task) yield { ...s, is_run: false }
    if (s.parent_id !== null) continue
    const r = then.run.get(s.run_id)
    if (r?.parent_task_id === task && r.parent_strand_id === strand) yield { ...s, is_run: true }
  }
}

function isAnyUnderWay(db: Tables, parent: string): boolean {
  for (const c of db.strand.values()) if (c.parent_id === parent && c.status !== 'held') return true
  return false
}
