import { isId } from '@tutti/runtime'
import type { Context } from '../context.ts'

/** How much of a budget is gone, now. */
export interface BudgetUseRow {
  budgetId: string
  usedUsd: string
  usedTokens: bigint
  usedCalls: bigint
  reservedUsd: string
  reservedTokens: bigint
  reservedCalls: bigint
}

/** A budget, and the run and step's path whose use is asked for where each has its own, as `{@link useKey}` writes them. */
export interface UseOf {
  budgetId: string
  runId?: string | null | undefined
  stepPath?: string | null | undefined
}

/** A loader's key. */
export const useKey = ({ budgetId, runId, stepPath }: UseOf): string =>
  [budgetId, ...(runId == null ? [] : [runId, ...(stepPath == null ? [] : [stepPath])])].join('/')

/**
 * What is used and reserved of budgets in the present day or in total, by {@link useKey}. One that nothing was spent of is
 * missing.
 */
export async function loadBudgetUses(
  { database, actor }: Context,
  keys: readonly string[],
): Promise<ReadonlyMap<string, BudgetUseRow>> {
  const asked = keys.flatMap((key) => {
    const at = key.indexOf('/')
    const [budgetId, subject] = at < 0 ? [key, ''] : [key.slice(0, at), key.slice(at + 1)]
    return isId(budgetId) && !subject.includes('\0') ? [{ key, budgetId, subject }] : []
  })
  const rows = await database.readTenant<BudgetUseRow & { key: string }>(
    actor,
    `select k.key, u.budget_id as "budgetId", u.used_usd::text as "usedUsd", u.used_tokens as "usedTokens",
       u.used_calls as "usedCalls", u.reserved_usd::text as "reservedUsd", u.reserved_tokens as "reservedTokens",
       u.reserved_calls as "reservedCalls"
     from unnest($2::text[], $3::uuid[], $4::text[]) as k(key, budget_id, subject)
     join budget b on b.organization_id = $1::uuid and b.id = k.budget_id
     join budget_use u on u.organization_id = $1::uuid and u.budget_id = k.budget_id and u.subject = k.subject
       and u.since = case b."window" when 'day' then tutti_day_start($1::uuid) else timestamptz '1970-01-01T00:00:00Z' end`,
    [
      actor.organizationId,
      asked.map(({ key }) => key),
      asked.map(({ budgetId }) => budgetId),
      asked.map(({ subject }) => subject),
    ],
  )
  return new Map(rows.map(({ key, ...use }) => [key, use]))
}
