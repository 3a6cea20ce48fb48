/** One measured number. `case` names what was measured (`tutti-postgres`), `unit` as in DESIGN.md (`steps/s`, `ms`, `MB`). */
export type Measurement = { case: string; metric: string; value: number; unit: string }

/** What a bench gets: `quick` is one round, under 100 s; `args` are the command line's other words. */
export type BenchContext = { quick: boolean; args: string[]; report(measurement: Measurement): void }

/** A bench: `test/bench/<name>.ts` exports one as `bench`. `run` reports medians, and stops all it started. */
export type Bench = { name: string; run(context: BenchContext): Promise<void> }

/** The value below which the share `p` (0 to 1) of `values` lies, by nearest rank. NaN of nothing. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(p * sorted.length) - 1))] ?? Number.NaN
}

/** The middle value, or the mean of the two in the middle. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN
  return (lower + upper) / 2
}

/** What one case measures in one round: metric → value and unit. */
export type Round = Record<string, { value: number; unit: string }>

/**
 * Runs the cases in turn, round after round, so that a machine that slows down slows all of them, and reports each
 * metric's median over the rounds (three, or one when quick). Each round's order is turned by one, so that no case
 * always follows the same other.
 */
export async function interleave(
  context: BenchContext,
  cases: Record<string, () => Promise<Round>>,
  rounds = context.quick ? 1 : 3,
): Promise<void> {
  const names = Object.keys(cases)
  const seen = new Map<string, { case: string; metric: string; unit: string; values: number[] }>()
  for (let round = 0; round < rounds; round++) {
    for (let index = 0; index < names.length; index++) {
      const name = names[(index + round) % names.length] ?? ''
      for (const [metric, { value, unit }] of Object.entries((await cases[name]?.()) ?? {})) {
        const key = `${name} ${metric}`
        const entry = seen.get(key) ?? { case: name, metric, unit, values: [] }
        entry.values.push(value)
        seen.set(key, entry)
      }
    }
  }
  for (const { values, ...rest } of seen.values()) context.report({ ...rest, value: median(values) })
}
