import { type Actor, type Classification, type Risk } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import type { DecisionRequest } from '../policies/decision-request.ts'
import { decisionLogOf } from './decision-log.ts'
import { levelsOf } from './levels.ts'
import { reportPolicyFailures } from './report-policy-failures.ts'
import { type Authorization, rule } from './rule.ts'
import { rulesMemoryOf } from './rules-memory.ts'

/** What somebody wants to do. What is not known is left out. */
export interface AuthorizationQuestion {
  /** Of the catalogue. */
  action: string
  resource?: Partial<DecisionRequest['resource']>
  arguments?: Readonly<Record<string, unknown>>
  context?: {
    /** US dollars. */
    amount?: number | null
    risk?: Risk | null
    classification?: Classification | null
    /** Now unless given. */
    time?: Date
  }
}

/**
 * Whether an actor may do something, by the authority matrix and the policies: at once, after asking, not at all, and
 * with which obligations. A hot call asks the database nothing; the decision is kept for trying policies. Whoever asks
 * acts on the ruling, and records a denial. Events: policy.failed, with an incident, when a policy could not be evaluated.
 */
export async function authorize(
  services: DomainServices,
  actor: Actor,
  question: AuthorizationQuestion,
): Promise<Authorization> {
  const request = requestOf(actor, question)
  const rules = await rulesMemoryOf(services.database).rulesOf(actor)
  const { failures, ...authorization } = rule(rules, request)
  decisionLogOf(services.database).add(actor, {
    at: request.context.time,
    request,
    ruling: authorization.ruling,
    reasons: authorization.reasons,
    policies: authorization.policyVersions,
    redactions: authorization.redactions,
    authorityVersion: authorization.authorityVersion,
  })
  if (failures.length > 0) await reportPolicyFailures(services, actor, request.action, failures)
  return authorization
}

/** A question as conditions see it. */
export function requestOf(actor: Actor, question: AuthorizationQuestion): DecisionRequest {
  const { action, resource, context } = question
  return {
    actor: {
      id: actor.id,
      kind: actor.kind,
      name: actor.name,
      roles: actor.roles,
      levels: levelsOf(actor, { domainId: resource?.domain ?? null, teamId: resource?.team ?? null }),
      agentId: actor.agentId ?? null,
    },
    action,
    resource: {
      type: null,
      id: null,
      name: null,
      domain: null,
      team: null,
      owner: null,
      attributes: {},
      ...resource,
    },
    context: {
      arguments: question.arguments ?? {},
      amount: context?.amount ?? null,
      risk: context?.risk ?? null,
      classification: context?.classification ?? null,
      time: context?.time ?? new Date(),
    },
  }
}
