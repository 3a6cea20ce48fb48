import type { Ending, Outcome } from './outcome.ts'

/** Middle, ninety-fifth percentile and sum of some numbers; all 0 for none. */
export interface Spread {
  p50: number
  p95: number
  total: number
}

/** The example's result in numbers. */
export interface Summary {
  counts: Record<Ending, number>
  fresh: number
  milliseconds: Spread
  cost: Spread
}

/** Nearest-rank percentiles, so that each is a value that really occurred. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const rank = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
  return { p50: rank(0.5), p95: rank(0.95), total: sorted.reduce((sum, value) => sum + value, 0) }
}

/** Counts and spreads over all messages. */
export function summarize(outcomes: readonly Outcome[]): Summary {
  const counts: Summary['counts'] = { answered: 0, escalated: 0, failed: 0, open: 0 }
  for (const outcome of outcomes) counts[outcome.ending]++
  return {
    counts,
    fresh: outcomes.filter((outcome) => outcome.fresh).length,
    milliseconds: spread(outcomes.flatMap((outcome) => outcome.milliseconds ?? [])),
    cost: spread(outcomes.flatMap((outcome) => outcome.cost ?? [])),
  }
}
