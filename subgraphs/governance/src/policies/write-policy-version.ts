import type { TenantTransaction } from '@tutti/prisma'
import { actorRef } from '../access/actor-ref.ts'
import { type PolicyRules, type PolicyVersionRow, VERSION_COLUMNS } from './policy-row.ts'

/**
 * Writes the next version of a policy that the caller has locked; one that was in the making ends. `retires`: it is that the
 * policy holds no more, and somebody else is to review it at once.
 */
export async function writePolicyVersion(
  tx: TenantTransaction,
  policyId: string,
  rules: PolicyRules,
  { retires } = { retires: false },
): Promise<PolicyVersionRow> {
  await tx.sql(
    `update policy_version set status = 'retired', ended_at = now()
     where organization_id = $1::uuid and policy_id = $2::uuid and status in ('draft', 'in_review') returning id`,
    tx.actor.organizationId,
    policyId,
  )
  const [version] = await tx.sql<PolicyVersionRow>(
    `insert into policy_version as v (organization_id, policy_id, number, description, actions, condition, effect, stages,
       escalate_to, redact, priority, effective_from, effective_until, written_by, retires,
       status, submitted_by)
     select $1::uuid, $2::uuid, coalesce(max(number), 0) + 1, $3, array(select jsonb_array_elements_text($4::jsonb)), $5, $6,
       $7::jsonb, $8, array(select jsonb_array_elements_text($9::jsonb)), $10, $11::timestamptz, $12::timestamptz, $13::jsonb,
       $14::boolean, $15, $16::jsonb
     from policy_version where organization_id = $1::uuid and policy_id = $2::uuid
     returning ${VERSION_COLUMNS}`,
    tx.actor.organizationId,
    policyId,
    rules.description,
    JSON.stringify(rules.actions),
    rules.condition,
    rules.effect,
    JSON.stringify(rules.stages),
    rules.escalateTo,
    JSON.stringify(rules.redact),
    rules.priority,
    rules.effectiveFrom,
    rules.effectiveUntil,
    JSON.stringify(actorRef(tx.actor)),
    retires,
    retires ? 'in_review' : 'draft',
    retires ? JSON.stringify(actorRef(tx.actor)) : null,
  )
  if (!version) throw new Error('An insert answered with no row.')
  return version
}
