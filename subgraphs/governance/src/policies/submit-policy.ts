import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { actorRef } from '../access/actor-ref.ts'
import type { DomainServices } from '../context.ts'
import { lockPolicy } from './lock-policy.ts'
import type { PolicyRow } from './policy-row.ts'
import { canSubmit } from './policy-version-status.ts'
import { recordPolicyChange } from './record-policy-change.ts'

const inputSchema = z.object({ id: z.string() })

/** Gives the draft to somebody else to review. Events: policy.changed. NOT_FOUND; INVALID_STATE without a draft. */
export async function submitPolicy(
  services: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<PolicyRow> {
  const { id } = parseInput(inputSchema, input)
  return services.database.inTenant(actor, async (tx) => {
    const { policy, versions } = await lockPolicy(tx, id)
    const draft = versions.find(({ status }) => canSubmit(status))
    if (!draft) return fail('INVALID_STATE', { path: 'input.id', hint: 'It has no draft: updatePolicy.' })
    await tx.sql(
      `update policy_version set status = 'in_review', submitted_by = $3::jsonb
       where organization_id = $1::uuid and id = $2::uuid returning id`,
      actor.organizationId,
      draft.id,
      JSON.stringify(actorRef(actor)),
    )
    await recordPolicyChange(tx, policy, draft, 'submitted')
    return policy
  })
}
