import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { rulesMemoryOf } from '../authority/rules-memory.ts'
import type { DomainServices } from '../context.ts'
import { prose } from '../input/text.ts'
import { lockPolicy } from './lock-policy.ts'
import type { PolicyRow } from './policy-row.ts'
import { isApproved, isOpen } from './policy-version-status.ts'
import { recordPolicyChange } from './record-policy-change.ts'

const inputSchema = z.object({ id: z.string(), reason: prose() })

/**
 * Takes a policy out of force, and ends what waits for its time or is in the making of it. Events: policy.changed. Audit: a decision.
 * NOT_FOUND; INVALID_STATE when nothing of it is in force or in the making.
 */
export async function retirePolicy(
  services: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<PolicyRow> {
  const { id, reason } = parseInput(inputSchema, input)
  const retired = await services.database.inTenant(actor, async (tx) => {
    const { policy, versions } = await lockPolicy(tx, id)
    const last =
      versions.find(({ status }) => status === 'active') ??
      versions.find(({ status }) => isApproved(status) || isOpen(status))
    if (!last) return fail('INVALID_STATE', { path: 'input.id', hint: 'It is retired already.' })
    await tx.sql(
      `update policy_version set status = 'retired',
         ended_at = case when status = 'active' then least(effective_until, ended_at, now()) else now() end
       where organization_id = $1::uuid and policy_id = $2::uuid and status in ('draft', 'in_review', 'active') returning id`,
      actor.organizationId,
      id,
    )
    await recordPolicyChange(tx, policy, last, 'retired', reason)
    return policy
  })
  rulesMemoryOf(services.database).forget(actor.organizationId)
  return retired
}
