import type { QualityCriteria } from './criteria.ts'
import type { Fault } from './dimension.ts'
import { findUnsupportedClaims } from './find-unsupported-claims.ts'
import type { OutputToScore } from './output-to-score.ts'

const COSTS = { number: 0.25, amount: 0.4, link: 0.4, promise: 0.4 } as const
const NAMED = 5

/** Does it claim only what its sources say. An output whose sources nobody names is not checked. */
export function factFaults(output: OutputToScore, criteria: QualityCriteria): Fault[] {
  if (criteria.factCheckLevel === 'none' || output.sources === undefined) return []
  const claims = findUnsupportedClaims(output.text, output.question ?? '', output.sources)
  const factor = criteria.factCheckLevel === 'strict' ? 2 : 1
  return claims.slice(0, NAMED).map(({ kind, text }) => ({
    cost: COSTS[kind] * factor,
    reason: `no source has the ${kind} “${text}”`,
    flag: 'unsupported_claim',
    cap: kind === 'number' ? 0.75 : 0.6,
  }))
}
