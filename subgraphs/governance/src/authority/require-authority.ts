import { type Actor, fail } from '@tutti/schema'
import { recordDenial } from '../audit/record-denial.ts'
import type { DomainServices } from '../context.ts'
import { type AuthorizationQuestion, authorize } from './authorize.ts'
import { decisionLogOf } from './decision-log.ts'
import type { Authorization } from './rule.ts'

/**
 * For a mutation that is of a catalogue's action: goes on when it is allowed. FORBIDDEN when it is not, which the audit
 * trail has; APPROVAL_REQUIRED when somebody must say yes first.
 */
export async function requireAuthority(
  services: DomainServices,
  actor: Actor,
  question: AuthorizationQuestion,
): Promise<Authorization> {
  const authorization = await authorize(services, actor, question)
  await decisionLogOf(services.database).flush()
  const { ruling, reasons } = authorization
  if (ruling === 'allow') return authorization
  const hint = reasons.join(' ')
  const code = ruling === 'deny' ? 'FORBIDDEN' : 'APPROVAL_REQUIRED'
  await recordDenial(services, actor, { action: question.action, code, reason: hint })
  return fail(code, { path: 'input', hint })
}
