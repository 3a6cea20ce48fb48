import type { Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import type { BudgetRow } from './budget-row.ts'
import type { Spender } from './reserve-cost.ts'

/** Says in the log that a call was refused for a budget, and what becomes of its step. Events: budget.breached. */
export async function noteBreach(
  { database }: { database: Database },
  actor: Actor,
  budget: BudgetRow,
  {
    runId,
    agentId,
    stepPath,
    action,
  }: Pick<Spender, 'runId' | 'agentId' | 'stepPath'> & {
    action: 'pause' | 'stop'
  },
): Promise<void> {
  await database.inTenant(actor, async (tx) => {
    await tx.sql(
      'select id from budget where organization_id = $1::uuid and id = $2::uuid for no key update',
      actor.organizationId,
      budget.id,
    )
    await tx.appendEvent({
      type: 'budget.breached',
      subject: `budget/${budget.id}`,
      data: { budgetId: budget.id, name: budget.name, action, runId, agentId, stepPath },
    })
  })
}
