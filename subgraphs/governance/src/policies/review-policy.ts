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
import { canReview, isApproved, isSame } from './policy-version-status.ts'
import { recordPolicyChange } from './record-policy-change.ts'
import { requireFewStages } from './require-few-stages.ts'
import { retireVersions } from './retire-versions.ts'
import { beginOf, endOf, succeed } from './version-dates.ts'

const inputSchema = z.object({
  id: z.string(),
  /** What was read: of another version the answer is a conflict. */
  version: z.int(),
  decision: oneOf(['approve', 'reject']),
  comment: remark().nullish(),
})

/**
 * Puts a version into force in place of the one before, now or from its beginning on, or takes the policy out of force where
 * the version says that; or turns it down. Only a person who
 * neither wrote nor submitted it can, by no key that one of those made. Events: policy.changed. Audit: a decision.
 * NOT_FOUND, INVALID_STATE (not in review, over by now, or too many stages), CONFLICT (another version),
 * SEPARATION_OF_DUTIES (a denial).
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
      const now = await clockOf(tx)
      if (decision === 'approve' && candidate.retires) await retireVersions(tx, id)
      else if (decision === 'approve') {
        if (endOf(candidate) <= now.getTime())
          fail('INVALID_STATE', { path: 'input.id', hint: 'Its effectiveUntil is past: updatePolicy.' })
        await requireFewStages(tx, candidate, now)
        await endBefore(tx, versions, candidate, now)
      }
      await tx.sql(
        `update policy_version set status = $3, reviewed_by = $4::jsonb, review_comment = $5,
         activated_at = case when $3 = 'active' then $6::timestamptz end,
         ended_at = case when $3 <> 'active' then $6::timestamptz end
       where organization_id = $1::uuid and id = $2::uuid returning id`,
        actor.organizationId,
        candidate.id,
        decision === 'reject' ? 'rejected' : candidate.retires ? 'retired' : 'active',
        JSON.stringify(actorRef(actor)),
        comment ?? null,
        now,
      )
      const inForce = beginOf(candidate) > now.getTime() ? 'scheduled' : 'activated'
      const approved = candidate.retires ? 'retired' : inForce
      const change = decision === 'approve' ? approved : 'rejected'
      await recordPolicyChange(tx, policy, candidate, change, comment ?? '')
      return policy
    }),
  )
  rulesMemoryOf(services.database).forget(actor.organizationId)
  return reviewed
}

async function clockOf(tx: TenantTransaction): Promise<Date> {
  const [row] = await tx.sql<{ now: Date }>('select clock_timestamp() as now')
  if (!row) throw new Error('A read of the clock answered with no row.')
  return row.now
}

/** What is approved already ends where the candidate begins; what is over by its dates is retired with it. */
async function endBefore(
  tx: TenantTransaction,
  versions: readonly PolicyVersionRow[],
  candidate: PolicyVersionRow,
  now: Date,
): Promise<void> {
  await tx.sql(
    `update policy_version set status = 'retired', ended_at = least(effective_until, ended_at)
     where organization_id = $1::uuid and policy_id = $2::uuid and status = 'active'
       and least(effective_until, ended_at) <= $3::timestamptz returning id`,
    tx.actor.organizationId,
    candidate.policyId,
    now,
  )
  const before = versions.filter(({ status }) => isApproved(status))
  for (const { version, isRetired, endedAt } of succeed(before, candidate, now))
    await tx.sql(
      `update policy_version set status = $3, ended_at = $4::timestamptz
       where organization_id = $1::uuid and id = $2::uuid returning id`,
      tx.actor.organizationId,
      version.id,
      isRetired ? 'retired' : 'active',
      endedAt,
    )
}
