import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { rulesMemoryOf } from '../authority/rules-memory.ts'
import type { DomainServices } from '../context.ts'
import { prose } from '../input/text.ts'
import { lockPolicy } from './lock-policy.ts'
import type { PolicyRow } from './policy-row.ts'
import { isApproved, isBinding, isOpen } from './policy-version-status.ts'
import { recordPolicyChange } from './record-policy-change.ts'
import { retireVersions } from './retire-versions.ts'
import { writePolicyVersion } from './write-policy-version.ts'

const inputSchema = z.object({ id: z.string(), reason: prose() })

/**
 * Takes a policy out of force, with what waits for its time or is in the making of it: at once where it keeps nobody from
 * anything; else that is a version of its own, in review, and holds when somebody else approves it, as what was put into force.
 * Events: policy.changed. Audit: a decision. NOT_FOUND; INVALID_STATE when nothing of it is in force or in the making, or that
 * is in review already.
 */
export async function retirePolicy(
  services: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<PolicyRow> {
  const { id, reason } = parseInput(inputSchema, input)
  const retired = await services.database.inTenant(actor, async (tx) => {
    const { policy, versions } = await lockPolicy(tx, id)
    const asked = versions.find(({ status, retires }) => retires && isOpen(status))
    if (asked)
      fail('INVALID_STATE', {
        path: 'input.id',
        hint: `Version ${asked.number} says so, and is in review: reviewPolicy, by somebody else.`,
      })
    const last =
      versions.find(({ status }) => status === 'active') ??
      versions.find(({ status }) => isApproved(status) || isOpen(status))
    if (!last) return fail('INVALID_STATE', { path: 'input.id', hint: 'It is retired already.' })
    if (versions.some(isBinding)) {
      const undated = { ...last, description: reason, effectiveFrom: null, effectiveUntil: null }
      const version = await writePolicyVersion(tx, id, undated, { retires: true })
      await recordPolicyChange(tx, policy, version, 'submitted', reason)
    } else {
      await retireVersions(tx, id)
      await recordPolicyChange(tx, policy, last, 'retired', reason)
    }
    return policy
  })
  rulesMemoryOf(services.database).forget(actor.organizationId)
  return retired
}
