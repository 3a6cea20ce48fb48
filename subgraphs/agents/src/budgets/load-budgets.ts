import { isId } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { BUDGET_COLUMNS, type BudgetRow } from './budget-row.ts'

/** Budgets by id. */
export async function loadBudgets(
  { database, actor }: Context,
  ids: readonly string[],
): Promise<ReadonlyMap<string, BudgetRow>> {
  const rows = await database.readTenant<BudgetRow>(
    actor,
    `select ${BUDGET_COLUMNS} from budget where organization_id = $1::uuid and id = any($2::uuid[])`,
    [actor.organizationId, ids.filter(isId)],
  )
  return new Map(rows.map((row) => [row.id, row]))
}

type Load = (context: Context, ids: readonly string[]) => Promise<ReadonlyMap<string, BudgetRow[]>>

/** Budgets by what they are about, by name, in one read. */
const loadBy =
  (column: 'domainId' | 'teamId' | 'agentId'): Load =>
  async ({ database, actor }, ids) => {
    const rows = await database.readTenant<BudgetRow>(
      actor,
      `select ${BUDGET_COLUMNS} from budget where organization_id = $1::uuid and ${COLUMNS[column]} = any($2::uuid[])
       order by name`,
      [actor.organizationId, ids.filter(isId)],
    )
    return Map.groupBy(rows, (row) => row[column] ?? '')
  }

const COLUMNS = { domainId: 'domain_id', teamId: 'team_id', agentId: 'agent_id' } as const

/** Budgets of domains. */
export const loadBudgetsOfDomains = loadBy('domainId')
/** Budgets of teams. */
export const loadBudgetsOfTeams = loadBy('teamId')
/** Budgets of agents. */
export const loadBudgetsOfAgents = loadBy('agentId')

/** Budgets of the whole organization, by its id. */
export const loadBudgetsOfOrganizations: Load = async ({ database, actor }, ids) => {
  if (!ids.includes(actor.organizationId)) return new Map()
  const rows = await database.readTenant<BudgetRow>(
    actor,
    `select ${BUDGET_COLUMNS} from budget where organization_id = $1::uuid and scope = 'organization' order by name`,
    [actor.organizationId],
  )
  return new Map([[actor.organizationId, rows]])
}
