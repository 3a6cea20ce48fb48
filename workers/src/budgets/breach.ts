import { type BudgetRow, noteBreach } from '@tutti/agents/domain'
import { fail } from '@tutti/schema'
import { controlRun } from '@tutti/workflows/domain'
import type { TaskCall } from '../executors/executor.ts'
import { workerActor } from '../worker-services.ts'
import { spenderOf } from './spender-of.ts'

/** The attempt is no attempt: its run was paused, and its step begins anew when it is resumed. */
export class PutBack extends Error {
  override readonly name = 'PutBack'
}

/** What all that were breached ask for: the strictest. */
export function actionOf(budgets: readonly BudgetRow[]): BudgetRow['onBreach'] {
  const asked = new Set(budgets.map(({ onBreach }) => onBreach))
  return asked.has('stop') ? 'stop' : asked.has('pause') ? 'pause' : 'cheaper_model'
}

/**
 * Ends an attempt for which budgets have no room: pauses its run and throws {@link PutBack}, or throws BUDGET_EXCEEDED with
 * the budgets' names. Events: budget.breached, run.paused.
 */
export async function endForBudgets(
  { services, task }: Pick<TaskCall, 'services' | 'task'>,
  budgets: readonly BudgetRow[],
): Promise<never> {
  const action = actionOf(budgets) === 'pause' ? 'pause' : 'stop'
  const names = budgets.map(({ name }) => `"${name}"`).join(', ')
  const actor = workerActor(task.organizationId)
  const spender = spenderOf(task)
  for (const budget of budgets) await noteBreach(services, actor, budget, { ...spender, action })
  if (action === 'pause') {
    const reason = `The budget ${names} has no room for the next call of step "${task.stepPath}".`
    await controlRun({ ...services, wake: () => undefined }, actor, 'pause', { id: task.runId, reason })
    throw new PutBack(reason)
  }
  return fail('BUDGET_EXCEEDED', {
    message: `The budget ${names} has no room for it.`,
    hint: 'setBudget raises it; retryRun goes on from here.',
  })
}
