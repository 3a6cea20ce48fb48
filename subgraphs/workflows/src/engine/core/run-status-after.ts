import { isRunOver } from './run-status.ts'
import type { RunStatus } from './run-status.ts'
import type { Transition } from './transition.ts'

/** The run's status once these transitions are written. A paused run stays paused until it ends or is resumed. */
export function runStatusAfter(current: RunStatus, transitions: readonly Transition[]): RunStatus {
  let status = current
  for (const transition of transitions) {
    if (isRunOver(status)) return status
    if (transition.type === 'complete_run') status = 'completed'
    else if (transition.type === 'fail_run') status = 'failed'
    else if (transition.type === 'cancel_run') status = 'cancelled'
    else if (status === 'paused') continue
    else if (transition.type === 'create_task')
      status = transition.status === 'waiting' ? 'waiting' : 'running'
    else if (transition.type === 'retry_task') status = 'running'
  }
  return status
}
