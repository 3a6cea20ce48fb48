import type { Actor } from '@tutti/schema'
import type pg from 'pg'
import {
  isRunCancellable,
  isRunOver,
  isRunPausable,
  isRunPaused,
  isRunRetryable,
} from '../../engine/core/index.ts'
import { cancelRuns } from './cancel-runs.ts'
import { type LockedRun, lockRuns } from './lock-runs.ts'
import { pauseRuns } from './pause-runs.ts'
import { resumeRuns } from './resume-runs.ts'
import { retryRuns } from './retry-runs.ts'
import { refusalOf, type RunRefusal } from './run-refusal.ts'
import { takeBackRuns } from './take-back-runs.ts'

/** Every act on a whole run that needs nothing but a reason. */
export const RUN_ACTIONS = ['pause', 'resume', 'cancel', 'terminate', 'retry'] as const
export type RunAction = (typeof RUN_ACTIONS)[number]

/** What is to be done, and why. */
export interface RunControl {
  action: RunAction
  reason: string | null
  /** Pausing: sub-runs that nobody waits for are paused too. */
  detached?: boolean
  /** Cancelling: what completed is undone first. */
  compensate?: boolean
}

/** Whether an act changes a run, changes nothing because it is so already, or is not possible. */
export type Suitability = 'acts' | 'is so' | 'refused'

/** What an act would do to a run in this status. */
export function suitability(action: RunAction, status: LockedRun['status']): Suitability {
  switch (action) {
    case 'pause':
      return isRunPaused(status) ? 'is so' : isRunPausable(status) ? 'acts' : 'refused'
    case 'resume':
      return isRunPaused(status) ? 'acts' : isRunOver(status) ? 'refused' : 'is so'
    case 'cancel':
    case 'terminate':
      return status === 'cancelled' ? 'is so' : isRunCancellable(status) ? 'acts' : 'refused'
    case 'retry':
      return isRunRetryable(status) ? 'acts' : 'refused'
  }
}

/**
 * Does one act on many runs in the caller's transaction. What is so already counts as done. Refused runs are left as
 * they are.
 */
export async function controlRuns(
  client: pg.PoolClient,
  actor: Actor,
  ids: readonly string[],
  control: RunControl,
): Promise<{ done: number; refused: RunRefusal[] }> {
  const runs = await lockRuns(client, actor.organizationId, ids)
  const there = new Set(runs.map(({ id }) => id))
  const refused: RunRefusal[] = ids
    .filter((id) => !there.has(id))
    .map((runId) => ({ runId, code: 'NOT_FOUND', message: 'There is no such run.' }))
  const acted: LockedRun[] = []
  for (const run of runs) {
    const suits = suitability(control.action, run.status)
    // A pause also is about what is below, and about who may end it.
    if (suits === 'acts' || (suits === 'is so' && control.action === 'pause')) acted.push(run)
    if (suits === 'refused') refused.push(refusalOf(run.id, run.status))
  }
  if (acted.length > 0) refused.push(...(await act(client, actor, acted, control)))
  return { done: ids.length - refused.length, refused }
}

async function act(
  client: pg.PoolClient,
  actor: Actor,
  runs: readonly LockedRun[],
  { action, reason, detached = false, compensate = false }: RunControl,
): Promise<RunRefusal[]> {
  switch (action) {
    case 'pause':
      await pauseRuns(client, actor, runs, { reason, detached })
      return []
    case 'resume':
      await resumeRuns(client, actor, runs, reason)
      return []
    case 'cancel':
    case 'terminate':
      if (compensate && action === 'cancel') return takeBackRuns(client, actor, runs, reason)
      await cancelRuns(client, actor, runs, { reason, terminated: action === 'terminate' })
      return []
    case 'retry':
      return retryRuns(client, actor, runs, reason)
  }
}
