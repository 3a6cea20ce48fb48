import type { RunStatus } from './run-status.ts'
import type { TaskStatus } from './task-status.ts'

/** What the core is shown of a run: as locked by the transaction that will write the transitions. */
export type RunView = {
  readonly status: RunStatus
  /** The trigger's payload. */
  readonly input: Readonly<Record<string, unknown>>
  /** Everything written by `write_state` so far, names with `$` included. */
  readonly state: Readonly<Record<string, unknown>>
  /** The task the event is about; absent for events of the run. */
  readonly task?: { readonly status: TaskStatus; readonly attempt: number }
  /** Any text of the run's own (its id): spreads the retries of runs that failed together. */
  readonly seed?: string
}
