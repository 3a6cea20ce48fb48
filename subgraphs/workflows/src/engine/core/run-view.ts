import type { NodeId } from '../../definitions/index.ts'
import type { RunStatus } from './run-status.ts'
import type { TaskStatus } from './task-status.ts'

/**
 * A strand: one line of control of a run, at one task at a time. The main line is one, every branch of a parallel and
 * every item of a map is one; loops stay on theirs. While its children live, a strand waits and its state is frozen.
 */
export type StrandView = {
  /** What the paths of its tasks begin with: '' for the main line, `fan[left]/` or `each[17]/` for a child. */
  readonly path: string
  /** The parallel or map whose branch or item it is; absent for the main line. */
  readonly compound?: NodeId
  /** The branch's name or the item's number; absent for the main line. */
  readonly key?: string
  /** Its own names: what `write_state` wrote, `$` names included; for a child also the item. */
  readonly state: Readonly<Record<string, unknown>>
  /** The states of the strands around it, innermost first; none for the main line. */
  readonly outer: readonly Readonly<Record<string, unknown>>[]
}

/** What the core is shown of a run: as locked by the transaction that will write the transitions, or fenced by it. */
export type RunView = {
  readonly status: RunStatus
  /** The trigger's payload. */
  readonly input: Readonly<Record<string, unknown>>
  readonly strand: StrandView
  /** The strand's present task; absent before its first. */
  readonly task?: {
    readonly status: TaskStatus
    readonly attempt: number
    /** Its path. */
    readonly path: string
    /** Milliseconds since its first attempt began, for `stepTimeoutMs`; absent: unknown, no limit applies. */
    readonly elapsedMs?: number
  }
  /** What the run's plan may still cost, in USD; absent: no limit applies. At 0 no work begins. */
  readonly budgetLeftUsd?: number
  /** Any text of the run's own (its id): spreads the retries of runs that failed together. */
  readonly seed?: string
}
