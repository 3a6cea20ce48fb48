/** What a budget is about. Of `run` and `step` every run, or step of a run, has it for itself. */
export type BudgetScope = 'organization' | 'domain' | 'team' | 'agent' | 'run' | 'step'

/** Whether it begins anew each day, on the organization's clock. */
export type BudgetWindow = 'day' | 'total'

/** What becomes of a call that does not fit. */
export type BudgetBreachAction = 'cheaper_model' | 'pause' | 'stop'

/** A budget as it is stored. */
export interface BudgetRow {
  id: string
  name: string
  scope: BudgetScope
  domainId: string | null
  teamId: string | null
  agentId: string | null
  workflowId: string | null
  runId: string | null
  step: string | null
  window: BudgetWindow
  /** US dollars as a decimal text. */
  maxUsd: string | null
  maxTokens: bigint | null
  maxCalls: bigint | null
  onBreach: BudgetBreachAction
  createdAt: Date
  updatedAt: Date
}

/** The columns of {@link BudgetRow}. */
export const BUDGET_COLUMNS = `id, name, scope, domain_id as "domainId", team_id as "teamId", agent_id as "agentId",
  workflow_id as "workflowId", run_id as "runId", step, "window", max_usd::text as "maxUsd", max_tokens as "maxTokens",
  max_calls as "maxCalls", on_breach as "onBreach", created_at as "createdAt", updated_at as "updatedAt"`
