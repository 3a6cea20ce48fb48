import type { CancelledParent } from '../store/children.ts'
import type { StrandChange } from '../store/strand-change.ts'
import type { Held } from './store/claim-strands.ts'
import type { LoggedEvent, RowChange, Run, Signal, Strand, Task } from './tables.ts'

/** A statement of `engine/store`, or a transaction of such, as data: so that PostgreSQL can be asked the same. */
export type Statement =
  | { readonly type: 'claim'; readonly limit: number; readonly claim: string; readonly lost: boolean }
  | {
      readonly type: 'write'
      readonly changes: readonly StrandChange[]
      /** By strand, what is cancelled if its change is written. */
      readonly cancels: ReadonlyMap<string, readonly CancelledParent[]>
    }
  | { readonly type: 'reread' | 'renew' | 'drop' | 'park'; readonly held: Held }
  | { readonly type: 'reconcile' }
  | { readonly type: 'forgive'; readonly ids: readonly string[] }
  | { readonly type: 'release'; readonly parent: string }
  | { readonly type: 'take signals'; readonly strands: readonly string[] }
  | { readonly type: 'read arrivals'; readonly id: string; readonly taskId: string }
  | { readonly type: 'list undoable'; readonly run: string; readonly nodes: readonly string[] }

/** A statement that was done, and what it did; where it is no statement of `engine/store`, only that. */
export interface Done {
  readonly name: string
  readonly statement: Statement | undefined
  readonly answer: unknown
  /** On the database's clock. */
  readonly now: number
  readonly changes: {
    readonly run: readonly RowChange<Run>[]
    readonly strand: readonly RowChange<Strand>[]
    readonly task: readonly RowChange<Task>[]
    readonly run_signal: readonly RowChange<Signal>[]
  }
  readonly events: readonly LoggedEvent[]
}
