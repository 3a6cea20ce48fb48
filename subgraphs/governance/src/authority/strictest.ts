import { joinStages } from '../policies/stage.ts'
import { HIGHER, type Higher } from './levels.ts'
import type { Authorization, Ruling } from './rule.ts'

/** From the freest. */
const STRICTNESS: readonly Ruling[] = ['allow', 'ask', 'escalate', 'deny']

/**
 * The one ruling on something that is in several places and was ruled on for each: the strictest, with whoever must say yes
 * in any of them. At least one.
 */
export function strictest(authorizations: readonly Authorization[]): Authorization {
  const [first, ...others] = authorizations
  if (!first) throw new Error('Nothing was ruled on.')
  if (others.length === 0) return first
  const ruling = STRICTNESS.findLast((each) => authorizations.some((one) => one.ruling === each)) ?? 'deny'
  const deciding = authorizations.filter((each) => each.ruling === ruling)
  const versions = new Map(
    authorizations.flatMap(({ policyVersions }) => policyVersions.map((each) => [each.policyId, each])),
  )
  return {
    ruling,
    stages: ruling === 'deny' ? [] : joinStages(...authorizations.map(({ stages }) => stages)),
    escalateTo: highest(deciding.map(({ escalateTo }) => escalateTo)),
    inform: highest(deciding.map(({ inform }) => inform)),
    redactions: [...new Set(authorizations.flatMap(({ redactions }) => redactions))].sort(),
    reasons: [...new Set(deciding.flatMap(({ reasons }) => reasons))],
    policyVersions: [...versions.values()],
    authorityVersion: first.authorityVersion,
  }
}

const highest = (levels: readonly (Higher | null)[]): Higher | null =>
  HIGHER.findLast((each) => levels.includes(each)) ?? null
