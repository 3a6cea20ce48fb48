import type { Arrival, UndoableStep } from '../../core/index.ts'
import type { Snapshot, Task } from '../tables.ts'

export type State = Readonly<Record<string, unknown>>

/** A strand that others look out on: its state, and where it stands itself. */
export interface Scope {
  readonly state: State
  readonly parentTaskId: string | null
}

/** The reading statements of `engine/store/hold-strands.ts`, which say what the core is shown. */
export interface ReadRules {
  /** The strands around others, by their tasks. */
  around(then: Snapshot, parents: readonly string[]): Map<string, Scope>
  arrivals(then: Snapshot, strand: { id: string; taskId: string }): (Arrival | null)[]
  undoable(then: Snapshot, runId: string, nodes: readonly string[]): UndoableStep[]
}

export const READ: ReadRules = {
  around(then, parents) {
    const scopes = new Map<string, Scope>()
    for (const parent of parents)
      for (let id: string | null = parent; id !== null;) {
        const s = then.strand.get(id)
        if (s && s.task_id !== null) scopes.set(s.task_id, { state: s.state, parentTaskId: s.parent_task_id })
        id = s?.parent_id ?? null
      }
    return scopes
  },

  arrivals(then, { id, taskId }) {
    const found = new Map<number, Arrival | null>()
    for (const t of then.task.values())
      if (t.parent_id === taskId && t.arrival !== null) found.set(t.position ?? 0, wholeArrival(t))
    for (const s of then.strand.values()) if (s.parent_id === id) found.set(s.position ?? 0, null)
    return Array.from({ length: found.size }, (_, position) => found.get(position) ?? null)
  },

  undoable: (then, runId, nodes) =>
    [...then.task.values()]
      .filter(
        (t) =>
          t.run_id === runId &&
          t.status === 'completed' &&
          nodes.includes(t.node_id) &&
          !t.step_path.endsWith('~undo'),
      )
      .toSorted(
        (a, b) =>
          (b.ended_at ?? 0) - (a.ended_at ?? 0) || b.created_at - a.created_at || (a.id < b.id ? 1 : -1),
      )
      .map(({ node_id, step_path, input, output }) => ({ node: node_id, path: step_path, input, output })),
}

/** The value of a task's own output is kept once. */
function wholeArrival({ arrival, output }: Task): Arrival | null {
  if (!arrival?.ok || 'value' in arrival) return arrival
  const { state } = kept(arrival)
  return { ok: true, value: output, ...(state ? { state } : {}) }
}

/** What is stored of an arrival without its value. */
const kept = ({ state }: { readonly state?: State }): { readonly state?: State } => (state ? { state } : {})
