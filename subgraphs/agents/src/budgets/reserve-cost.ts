import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import { BUDGET_COLUMNS, type BudgetRow } from './budget-row.ts'

/** A lease ends this long after the call has to be over. */
const SPARE_MS = 60_000
const CALL_MS = 60_000
/** How soon it is asked again whether there is room beside the calls under way. */
const BUSY_MS = 50

/** Who spends, and at what. What is null concerns no budget of its kind. */
export interface Spender {
  agentId: string | null
  runId: string | null
  workflowId: string | null
  /** `loop[2]/map[17]/review` */
  stepPath: string | null
  /** The step's name in the definition. */
  step: string | null
}

/** Money in US dollars, as a number or an exact decimal text; tokens; calls. */
export interface Amount {
  usd: number | string
  tokens: number
  calls: number
}

/** What a call is expected to cost, and what it may come to where the estimate is no upper bound. */
export interface Estimate extends Amount {
  atMost?: { usd: number | string; tokens: number }
}

/** A place in a budget: it holds a reservation, and is settled. */
export interface ReservedBudget {
  budgetId: string
  subject: string
  since: string
}

/** What was set aside; settle it, whatever becomes of the call. Without a budget concerned, nothing is stored. */
export interface Reservation {
  organizationId: string
  id: string
  budgets: readonly ReservedBudget[]
}

/** What came of asking. */
export type Reserved =
  | { type: 'reserved'; reservation: Reservation }
  /** The estimate does not fit into these, by their ids; nothing is reserved. */
  | { type: 'breached'; budgets: readonly BudgetRow[] }

type Answer = { budgets: ReservedBudget[] } | { breached: string[] } | { busy: true }

/**
 * Sets a call's estimate aside in every budget that it concerns, or in none: in one statement, which locks them in one
 * order. Where its estimate fits and what it may come to at most does not, beside the calls under way, it waits until they
 * are settled: so budgets are overrun by at most one call's error. Of a process that is lost, reservations end
 * `callMs` (a minute unless given) and a minute later. Rejects with the signal's reason when it is aborted.
 */
export async function reserveCost(
  { database }: { database: Database },
  actor: Pick<Actor, 'organizationId'>,
  spender: Spender,
  estimate: Estimate,
  { callMs = CALL_MS, signal }: { callMs?: number; signal?: AbortSignal | undefined } = {},
): Promise<Reserved> {
  const { organizationId } = actor
  const id = randomUUID()
  const most = estimate.atMost ?? estimate
  for (;;) {
    signal?.throwIfAborted()
    const { rows } = await database.pool('worker').query<{ answer: Answer }>({
      name: 'reserve-cost',
      text: `select tutti_reserve($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13 * interval '1 ms') as answer`,
      values: [
        organizationId,
        id,
        spender.agentId,
        spender.runId,
        spender.workflowId,
        spender.stepPath,
        spender.step,
        decimal(estimate.usd),
        estimate.tokens,
        estimate.calls,
        decimal(most.usd),
        most.tokens,
        callMs + SPARE_MS,
      ],
    })
    const answer = rows[0]?.answer ?? { budgets: [] }
    if ('budgets' in answer)
      return { type: 'reserved', reservation: { organizationId, id, budgets: answer.budgets } }
    if ('breached' in answer)
      return { type: 'breached', budgets: await readBudgets(database, organizationId, answer.breached) }
    await wait(BUSY_MS, undefined, { signal })
  }
}

/** Twelve places, as prices of tokens have them. */
export const decimal = (usd: number | string): string => (typeof usd === 'string' ? usd : usd.toFixed(12))

async function readBudgets(
  database: Database,
  organizationId: string,
  ids: readonly string[],
): Promise<BudgetRow[]> {
  const { rows } = await database
    .pool('worker')
    .query<BudgetRow>(
      `select ${BUDGET_COLUMNS} from budget where organization_id = $1 and id = any($2::uuid[]) order by id`,
      [organizationId, ids],
    )
  return rows
}
