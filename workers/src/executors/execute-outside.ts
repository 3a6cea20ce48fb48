import { giveInput } from '@tutti/workflows/domain'
import type { Executor } from './executor.ts'
import { withoutDecision } from './read-decision.ts'

/**
 * A worker outside does the task, when it claims it: nothing is held meanwhile. Of a governed one it is given what may be done
 * with, and not what was asked for.
 */
export const executeOutside: Executor = async ({ services, task, actor }) => {
  if (task.governs) await giveInput(services, actor, task, withoutDecision(task))
  return { type: 'waiting', approvalId: null }
}
