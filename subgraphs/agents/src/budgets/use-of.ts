import type { BudgetRow } from './budget-row.ts'
import type { BudgetUseRow } from './load-budget-uses.ts'

/** Money in US dollars, tokens, calls. */
export interface Spent {
  usd: number
  tokens: number
  calls: number
}

/** What is used and reserved of a budget, left, and gone of its narrowest bound; null where it is not bounded. */
export function useOf(
  { maxUsd, maxTokens, maxCalls }: Pick<BudgetRow, 'maxUsd' | 'maxTokens' | 'maxCalls'>,
  use: BudgetUseRow | null,
): { used: Spent; reserved: Spent; left: { [K in keyof Spent]: number | null }; share: number | null } {
  const used = {
    usd: Number(use?.usedUsd ?? 0),
    tokens: Number(use?.usedTokens ?? 0),
    calls: Number(use?.usedCalls ?? 0),
  }
  const reserved = {
    usd: Number(use?.reservedUsd ?? 0),
    tokens: Number(use?.reservedTokens ?? 0),
    calls: Number(use?.reservedCalls ?? 0),
  }
  const shares = [
    [maxUsd, 'usd'],
    [maxTokens, 'tokens'],
    [maxCalls, 'calls'],
  ] as const
  const gone = shares.flatMap(([most, of]) =>
    most === null ? [] : Number(most) === 0 ? 1 : (used[of] + reserved[of]) / Number(most),
  )
  const left = (most: string | bigint | null, of: keyof Spent): number | null =>
    most === null ? null : Math.max(0, Number(most) - used[of] - reserved[of])
  return {
    used,
    reserved,
    share: gone.length === 0 ? null : Math.max(...gone),
    left: { usd: left(maxUsd, 'usd'), tokens: left(maxTokens, 'tokens'), calls: left(maxCalls, 'calls') },
  }
}
