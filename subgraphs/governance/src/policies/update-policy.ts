import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import type { DomainServices } from '../context.ts'
import { lockPolicy } from './lock-policy.ts'
import { rulesSchema } from './policy-input.ts'
import type { PolicyRow } from './policy-row.ts'
import { recordPolicyChange } from './record-policy-change.ts'
import { writePolicyVersion } from './write-policy-version.ts'

const idSchema = z.object({ id: z.string() })

/**
 * Writes the next version of a policy, as a draft; the active one holds until this one takes its place. One in the
 * making ends. Events: policy.changed. Audit: a decision. NOT_FOUND; BAD_INPUT with all mistakes.
 */
export async function updatePolicy(
  services: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<PolicyRow> {
  const { id, ...rules } = parseInput(idSchema.and(rulesSchema), input)
  return services.database.inTenant(actor, async (tx) => {
    const { policy } = await lockPolicy(tx, id)
    await recordPolicyChange(tx, policy, await writePolicyVersion(tx, id, rules), 'updated')
    return policy
  })
}
