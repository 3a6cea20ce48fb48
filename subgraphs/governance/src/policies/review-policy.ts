import type { TenantTransaction } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { actorRef } from '../access/actor-ref.ts'
import { requirePerson } from '../access/behind.ts'
import { recordingRefusal } from '../audit/record-refusal.ts'
import { rulesMemoryOf } from '../authority/rules-memory.ts'
import type { DomainServices } from '../context.ts'
import { remark } from '../input/text.ts'
import { lockPolicy } from './lock-policy.ts'
import { oneOf } from './policy-input.ts'
import type { PolicyRow, PolicyVersionRow } from './policy-row.ts'
import { canReview, isSame } from './policy-version-status.ts'
import { recordPolicyChange } from './record-policy-change.ts'
import { requireFewStages } from './require-few-stages.ts'

const inputSchema = z.object({
  id: z.string(),
  /** What was read: of another version the answer is a conflict. */
  version: z.int(),
  decision: oneOf(['approve', 'reject']),
  comment: remark().nullish(),
})

/**
 * Puts a version into force, in place of the one before, or turns it down. Only a person who neither wrote nor submitted
 * it can, by no key that one of those made. Events: policy.changed. Audit: a decision. NOT_FOUND, INVALID_STATE (not in
 * review, or too many stages), CONFLICT (another version), SEPARATION_OF_DUTIES (a denial).
 */
export async function reviewPolicy(
  services: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<PolicyRow> {
  const { id, version, decision, comment } = parseInput(inputSchema, input)
  const tried = { action: 'Mutation.reviewPolicy', subject: `policy/${id}` }
  const reviewed = await recordingRefusal(services, actor, tried, () =>
    services.database.inTenant(actor, async (tx) => {
      const { policy, versions } = await lockPolicy(tx, id)
      const candidate = versions.find(({ status }) => canReview(status))
      if (!candidate)
        return fail('INVALID_STATE', { path: 'input.id', hint: 'No version of it is in review.' })
      if (candidate.number !== version)
        fail('CONFLICT', { path: 'input.version', hint: `Version ${candidate.number} is in review.` })
      requirePerson(actor, 'input.id')
      if (isSame(actor, candidate.writtenBy) || isSame(actor, candidate.submittedBy))
        fail('SEPARATION_OF_DUTIES', { path: 'input.id', hint: 'Somebody who did not write it reviews it.' })
      if (decision === 'approve') {
        await requireFewStages(tx, candidate)
        await endActive(tx, versions)
      }
      await tx.sql(
        `update policy_version set status = $3, reviewed_by = $4::jsonb, review_comment = $5,
         activated_at = case when $3 = 'active' then now() end, ended_at = case when $3 = 'rejected' then now() end
       where organization_id = $1::uuid and id = $2::uuid returning id`,
        actor.organizationId,
        candidate.id,
        decision === 'approve' ? 'active' : 'rejected',
        JSON.stringify(actorRef(actor)),
        comment ?? null,
      )
      const change = decision === 'approve' ? 'activated' : 'rejected'
      await recordPolicyChange(tx, policy, candidate, change, comment ?? '')
      return policy
    }),
  )
  rulesMemoryOf(services.database).forget(actor.organizationId)
  return reviewed
}

async function endActive(tx: TenantTransaction, versions: readonly PolicyVersionRow[]): Promise<void> {
  const active = versions.find(({ status }) => status === 'active')
  if (!active) return
  await tx.sql(
    `update policy_version set status = 'retired', ended_at = now()
     where organization_id = $1::uuid and id = $2::uuid returning id`,
    tx.actor.organizationId,
    active.id,
  )
}
