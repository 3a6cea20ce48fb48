import { decide, idempotencyKey } from '../core/index.ts'
import type { HeldStrand } from '../store/held-strand.ts'
import type { PlannedChange } from '../store/plan-transitions.ts'
import type { ClaimedTask } from '../worker/claimed-task.ts'

/** What a worker does beside the statements; a planted bug replaces one of them. */
export interface WorkerRules {
  /** What it is about to write. */
  planned(plan: PlannedChange, held: HeldStrand): PlannedChange
  /** The key that an outside system sees. */
  keyOf(task: ClaimedTask): string
  /** The steps to undo, as they were listed. */
  listed<Step>(steps: readonly Step[]): readonly Step[]
  /** Whether it repeats what a crash left half done: releases, signals. */
  readonly reconciles: boolean
  /** Whether it lets strands of paused runs be. */
  readonly parks: boolean
  /** Whether it looks for a signal once a wait has begun. */
  readonly looksForSignals: boolean
  /** Whether what is to be undone is listed only when the failure is written, and nothing is under way any more. */
  readonly listsWhenWritten: boolean
  /** Whether it leaves what was refused because of a pause, and of which nothing is done yet, to who comes later. */
  readonly parksWhatWasRefused: boolean
  /** When the run was created that it has started: by its own clock, and by the database's. */
  startedAt(own: string, database: number): string
  /** The core. */
  readonly decide: typeof decide
  /** Whether a first step is done before it is known to have begun although a worker was lost with it. */
  readonly beginsUnseenAgain: boolean
  /** Whether branches, items and sub-runs end with what waited for them. */
  readonly cancels: boolean
  /** Whether they end in the transaction that says so. */
  readonly cancelsWithin: boolean
  /** Whether new branches and items pass the claim where a limit counts them. */
  readonly childrenPassClaim: boolean
  /** Whether an agent's task passes the claim where a limit of its own, or a rate, concerns it. */
  readonly tasksPassClaim: boolean
  /** Whether what a statement answers is true: it is committed by then. */
  readonly waitsForCommit: boolean
}

export const WORKER_RULES: WorkerRules = {
  planned: (plan) => plan,
  keyOf: ({ organizationId, runId, stepPath, generation }) =>
    idempotencyKey(organizationId, runId, stepPath, generation),
  listed: (steps) => steps,
  reconciles: true,
  parks: true,
  looksForSignals: true,
  listsWhenWritten: true,
  parksWhatWasRefused: true,
  startedAt: (_own, database) => new Date(database).toISOString(),
  decide,
  beginsUnseenAgain: false,
  cancels: true,
  cancelsWithin: true,
  childrenPassClaim: true,
  tasksPassClaim: true,
  waitsForCommit: true,
}
