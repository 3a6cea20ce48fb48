import { credentialSchema, identify } from './access/identify.ts'
import { denialCallSchema, recordDenial } from './audit/record-denial.ts'
import { readAuditKey } from './chain/read-audit-key.ts'
import type { DomainServices } from './context.ts'
import { answerScim } from './scim/answer-scim.ts'
import { scimCallSchema } from './scim/scim-call.ts'
import { authorizeMutations, mutationCallsSchema } from './gates/authorize-mutations.ts'
import { decisionCallSchema, receiveDecision } from './links/receive-decision.ts'

/**
 * Signed calls by the gateway that are not GraphQL, for `serveSubgraph`'s `internal`: `/internal/identify` (a
 * credential → the actor, or null), `/internal/denial` (`{ actor, denial }` → null), `/internal/authorize`
 * (`{ actor, mutations, approvals }` → refusals), `/internal/audit-key` (→ PEM, or null), `/internal/decision`
 * (a visit of a link → the page),
 * `/internal/scim` (a request of a directory → the answer).
 */
export function internalCalls(
  services: DomainServices,
): Record<
  `/internal/${'identify' | 'denial' | 'authorize' | 'audit-key' | 'decision' | 'scim'}`,
  (body: unknown) => Promise<unknown>
> {
  return {
    '/internal/identify': async (body) => {
      const credential = credentialSchema.safeParse(body)
      return credential.success ? identify(services, credential.data) : null
    },
    '/internal/denial': async (body) => {
      const { actor, denial } = denialCallSchema.parse(body)
      await recordDenial(services, actor, denial)
      return null
    },
    '/internal/authorize': async (body) => {
      const { actor, ...calls } = mutationCallsSchema.parse(body)
      return authorizeMutations(services, actor, calls)
    },
    '/internal/audit-key': async () => readAuditKey(services),
    '/internal/decision': async (body) => receiveDecision(services, decisionCallSchema.parse(body)),
    '/internal/scim': async (body) => answerScim(services, scimCallSchema.parse(body)),
  }
}
