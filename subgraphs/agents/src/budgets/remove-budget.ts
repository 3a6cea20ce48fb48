import type { Database } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { BUDGET_COLUMNS, type BudgetRow } from './budget-row.ts'

/** Removes a budget with what was used of it; answers with it as it was. Events: budget.changed. NOT_FOUND. */
export async function removeBudget(
  { database }: { database: Database },
  actor: Actor,
  id: string,
): Promise<BudgetRow> {
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  return database.inTenant(actor, async (tx) => {
    const [budget] = await tx.sql<BudgetRow>(
      `delete from budget where organization_id = $1::uuid and id = $2::uuid returning ${BUDGET_COLUMNS}`,
      actor.organizationId,
      id,
    )
    if (!budget) return fail('NOT_FOUND', { path: 'input.id' })
    const data = { budgetId: id, name: budget.name, change: 'removed' } as const
    await tx.appendEvent({ type: 'budget.changed', subject: `budget/${id}`, data })
    return budget
  })
}
