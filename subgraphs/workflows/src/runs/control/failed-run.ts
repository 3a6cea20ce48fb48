import type { WorkflowDefinition } from '../../definitions/index.ts'
import type { LockedRun } from './lock-runs.ts'

/** A failed run, as far as it is to be taken up again. */
export interface FailedRun extends LockedRun {
  input: Record<string, unknown>
  /** Of the main line when it failed. */
  state: Record<string, unknown>
  error: { node?: string } | null
  /** The step its main line was at, where the error names none, as when its time was over. */
  lastNode: string | null
  definition: WorkflowDefinition
  /** The highest of its tasks. */
  generation: number
  undone: boolean
}
