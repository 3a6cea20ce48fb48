import { isRunOver } from './run-status.ts'
import type { RunStatus } from './run-status.ts'
import type { Transition } from './transition.ts'

/**
 * The run's status once these transitions of its main line are written. A paused run stays paused until it ends or is
 * resumed; one whose branches or items are under way is running, whatever each of them waits for.
 */
export function runStatusAfter(current: RunStatus, transitions: readonly Transition[]): RunStatus {
  let status = current
  for (const transition of transitions) {
    if (isRunOver(status)) return status
    const next = statusOf(transition)
    if (next && (status !== 'paused' || isRunOver(next))) status = next
  }
  return status
}

function statusOf(transition: Transition): RunStatus | undefined {
  switch (transition.type) {
    case 'complete_run':
      return 'completed'
    case 'fail_run':
      return 'failed'
    case 'cancel_run':
      return 'cancelled'
    case 'await_plan':
      return 'waiting'
    case 'create_task':
      return transition.status === 'waiting' ? 'waiting' : 'running'
    case 'start_strands':
    case 'retry_task':
    case 'compensate_run':
      return 'running'
    case 'settle_task':
    case 'cancel_children':
    case 'arrive':
    case 'record_choice':
    case 'write_state':
      return undefined
  }
}
