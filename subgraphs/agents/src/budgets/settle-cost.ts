import type { Database } from '@tutti/prisma'
import { type Amount, decimal, type Reservation } from './reserve-cost.ts'

/**
 * Counts what a call came to, and lets go what was reserved for it; zeros for one that never was. Once a reservation. One
 * whose lease was over before counts all the same.
 */
export async function settleCost(
  { database }: { database: Database },
  { organizationId, id, budgets }: Reservation,
  actual: Amount,
): Promise<void> {
  if (budgets.length === 0) return
  await database.pool('worker').query({
    name: 'settle-cost',
    text: 'select tutti_settle($1, $2, $3, $4, $5, $6, $7, $8)',
    values: [
      organizationId,
      id,
      budgets.map(({ budgetId }) => budgetId),
      budgets.map(({ subject }) => subject),
      budgets.map(({ since }) => since),
      decimal(actual.usd),
      actual.tokens,
      actual.calls,
    ],
  })
}
