import type { TenantTransaction } from '@tutti/prisma'

/** Ends whatever is in force, waits for its time or is in the making of a policy that the caller has locked. */
export async function retireVersions(tx: TenantTransaction, policyId: string): Promise<void> {
  await tx.sql(
    `update policy_version set status = 'retired',
       ended_at = case when status = 'active' then least(effective_until, ended_at, now()) else now() end
     where organization_id = $1::uuid and policy_id = $2::uuid and status in ('draft', 'in_review', 'active') returning id`,
    tx.actor.organizationId,
    policyId,
  )
}
