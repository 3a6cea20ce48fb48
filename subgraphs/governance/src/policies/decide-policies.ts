import { MOST_STEPS, type StepBudget } from '@tutti/runtime/expressions'
import { isAbout } from '@tutti/schema'
import { HIGHER, type Higher } from '../authority/levels.ts'
import type { CompiledPolicies, CompiledPolicy, Effect, ExceptionSource } from './compile-policies.ts'
import { type DecisionRequest, resourceOf } from './decision-request.ts'
import { joinStages, type Stage } from './stage.ts'

/** A policy that had a say; of one that could not be evaluated the effect is deny. */
export interface MatchedPolicy {
  policyId: string
  name: string
  version: number
  effect: Effect
}

/** A policy that could not be evaluated, and why. */
export interface PolicyFailure extends MatchedPolicy {
  versionId: string
  message: string
}

export interface PolicyDecision {
  effect: Exclude<Effect, 'redact'>
  /** In the order of their priority. */
  matched: MatchedPolicy[]
  obligations: {
    /** Who must say yes, when the effect is require_approval or escalate. */
    stages: Stage[]
    /** Where it goes, when the effect is escalate. */
    escalateTo: Higher | null
    /** Paths of what must not be seen. */
    redactions: string[]
  }
  reason: string
  /** Policies that did not hold because of an exception. */
  excepted: { policyId: string; exceptionId: string }[]
  failures: PolicyFailure[]
}

/**
 * Decides by the policies, without I/O or clock. A deny wins, whatever the priorities; then asking (require_approval,
 * escalate) wins over allow. Of those that ask, the highest priority decides; among equals an escalation wins, and the
 * stages of all of them are needed. Redactions add up. Nothing fits: allow. What cannot be evaluated denies, and so does
 * what is left when all conditions together have taken the steps of `budget`.
 */
export function decidePolicies(
  compiled: CompiledPolicies,
  request: DecisionRequest,
  budget: StepBudget = { left: MOST_STEPS },
): PolicyDecision {
  const now = request.context.time.getTime()
  const matched: MatchedPolicy[] = []
  const excepted: PolicyDecision['excepted'] = []
  const failures: PolicyFailure[] = []
  const redactions = new Set<string>()
  const asking: CompiledPolicy[] = []
  let denying: MatchedPolicy | undefined
  for (const policy of compiled.about(request.action)) {
    if (now < policy.from || now >= policy.until) continue
    const outcome = policy.condition(request, budget)
    if (outcome.ok && !outcome.value) continue
    const exception = policy.exceptions.find((each) => covers(each, request, now))
    const { policyId, versionId, name, version } = policy
    if (exception) {
      excepted.push({ policyId, exceptionId: exception.id })
      continue
    }
    const effect = outcome.ok ? policy.effect : 'deny'
    const match = { policyId, name, version, effect }
    matched.push(match)
    if (!outcome.ok) failures.push({ ...match, versionId, message: outcome.message })
    if (effect === 'deny') denying ??= match
    else if (effect === 'redact') for (const path of policy.redact) redactions.add(path)
    else if (effect !== 'allow') asking.push(policy)
  }
  const [first] = asking
  const top = asking.filter(({ priority }) => priority === first?.priority)
  const escalations = top.filter(({ effect }) => effect === 'escalate')
  const decided = (effect: PolicyDecision['effect'], reason: string): PolicyDecision => ({
    effect,
    matched,
    obligations: {
      stages: effect === 'deny' ? [] : joinStages(...top.map(({ stages }) => stages)),
      escalateTo: effect === 'escalate' ? highest(escalations) : null,
      redactions: [...redactions].sort(),
    },
    reason,
    excepted,
    failures,
  })
  if (denying) return decided('deny', reasonOfDenial(denying, failures))
  const escalation = escalations[0]
  if (escalation) return decided('escalate', `Policy ${escalation.name} sends it up.`)
  if (first) return decided('require_approval', `Policy ${first.name} wants an approval.`)
  const allowing = matched.find(({ effect }) => effect === 'allow')
  return decided('allow', allowing ? `Policy ${allowing.name} allows it.` : 'No policy is against it.')
}

function reasonOfDenial({ policyId, name }: MatchedPolicy, failures: readonly PolicyFailure[]): string {
  const failed = failures.find((each) => each.policyId === policyId)
  return failed ? `Policy ${name} could not be evaluated: ${failed.message}` : `Policy ${name} denies it.`
}

function highest(escalations: readonly CompiledPolicy[]): Higher | null {
  const places = escalations.map(({ escalateTo }) => (escalateTo === null ? -1 : HIGHER.indexOf(escalateTo)))
  return HIGHER[Math.max(-1, ...places)] ?? null
}

function covers(exception: ExceptionSource, request: DecisionRequest, now: number): boolean {
  const { actors, actions, resources, startsAt, expiresAt } = exception
  if (now >= expiresAt.getTime() || (startsAt !== null && now < startsAt.getTime())) return false
  const { id, agentId } = request.actor
  if (actors.length > 0 && !actors.includes(id) && !(agentId !== null && actors.includes(agentId)))
    return false
  if (actions.length > 0 && !actions.some((pattern) => isAbout(pattern, request.action))) return false
  const resource = resourceOf(request)
  return (
    resources.length === 0 ||
    resources.some(
      (each) =>
        each === resource || (each.endsWith('/*') && resource?.startsWith(each.slice(0, -1)) === true),
    )
  )
}
