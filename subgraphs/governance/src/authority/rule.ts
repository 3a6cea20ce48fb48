import type { StepBudget } from '@tutti/runtime/expressions'
import { isAlwaysGoverned } from '@tutti/schema'
import { type DecisionRequest } from '../policies/decision-request.ts'
import { type CompiledPolicies } from '../policies/compile-policies.ts'
import { decidePolicies, type MatchedPolicy, type PolicyFailure } from '../policies/decide-policies.ts'
import { joinStages, type Stage } from '../policies/stage.ts'
import { type AuthorityDecision, type CompiledMatrix, decideAuthority } from './decide-authority.ts'
import type { Higher } from './levels.ts'

/** It may be done; somebody must say yes first; it goes up; it may not be done. */
export type Ruling = 'allow' | 'ask' | 'escalate' | 'deny'

export interface Authorization {
  ruling: Ruling
  /** Who must say yes, one stage after the other; when asking or escalating. */
  stages: Stage[]
  /** Where it goes; when escalating. */
  escalateTo: Higher | null
  /** Whom to tell, when it may be done. */
  inform: Higher | null
  /** Paths of what must not be seen, as `$.arguments.card`. */
  redactions: string[]
  reasons: string[]
  /** Policies that had a say. */
  policyVersions: MatchedPolicy[]
  /** 0: the built-in matrix. */
  authorityVersion: number
}

/** The type of resource of a mutation that the gateway asks about. */
export const MUTATION = 'mutation'

/**
 * Authority first, then the policies: what either forbids is forbidden, and what either asks for is asked for. The
 * built-in matrix has no say about mutations but those that change the rules and who may come in: scopes of roles are what
 * stands between the others and a new organization, until it sets a matrix of its own.
 */
export function rule(
  { policies, matrix }: { policies: CompiledPolicies; matrix: CompiledMatrix },
  request: DecisionRequest,
  budget?: StepBudget,
): Authorization & { failures: PolicyFailure[] } {
  const authority =
    matrix.version === 0 && request.resource.type === MUTATION && !isAlwaysGoverned(request.action)
      ? UNRULED
      : decideAuthority(matrix, request)
  const decision = decidePolicies(policies, request, budget)
  const { stages, escalateTo, redactions } = decision.obligations
  const ruling = join(authority.ruling === 'never', authority.ruling === 'ask', decision.effect)
  const isAsked = ruling === 'ask' || ruling === 'escalate'
  return {
    ruling,
    stages: isAsked ? joinStages(authority.stages, stages) : [],
    escalateTo: ruling === 'escalate' ? escalateTo : null,
    inform: ruling === 'allow' && authority.ruling === 'inform' ? authority.to : null,
    redactions,
    reasons: [authority.reason, decision.reason],
    policyVersions: decision.matched,
    authorityVersion: matrix.version,
    failures: decision.failures,
  }
}

const UNRULED: AuthorityDecision = {
  ruling: 'alone',
  to: null,
  stages: [],
  entry: null,
  reason: 'The organization has no authority matrix of its own.',
}

function join(
  isForbidden: boolean,
  isAsked: boolean,
  effect: ReturnType<typeof decidePolicies>['effect'],
): Ruling {
  if (isForbidden || effect === 'deny') return 'deny'
  if (effect === 'escalate') return 'escalate'
  return isAsked || effect === 'require_approval' ? 'ask' : 'allow'
}
