import { type Connection, connectionOf, isId, type PageArguments, readPage } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { BUDGET_COLUMNS, type BudgetRow } from './budget-row.ts'

/** Which budgets, and which page of them. */
export interface BudgetsRequest extends PageArguments {
  agentId?: string | null | undefined
  runId?: string | null | undefined
}

/** One page of the organization's budgets, oldest first; only of this agent or this run, where named. */
export async function listBudgets(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  { agentId, runId, ...page }: BudgetsRequest,
): Promise<Connection<BudgetRow>> {
  const { take, afterId } = readPage(page)
  const known = [agentId, runId].every((id) => id == null || isId(id))
  const rows = known
    ? await database.readTenant<BudgetRow>(
        actor,
        `select ${BUDGET_COLUMNS} from budget b where organization_id = $1::uuid and ($2::uuid is null or id > $2::uuid)
           and ($3::uuid is null or agent_id = $3::uuid) and ($4::uuid is null or run_id = $4::uuid)
         order by id limit $5`,
        [actor.organizationId, afterId, agentId ?? null, runId ?? null, take],
      )
    : []
  return connectionOf(rows, take)
}
