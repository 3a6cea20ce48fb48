import type { TenantTransaction } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import { POLICY_COLUMNS, type PolicyRow, type PolicyVersionRow, VERSION_COLUMNS } from './policy-row.ts'

/** A policy, locked for a change, with its versions, the newest first. NOT_FOUND at `path`. */
export async function lockPolicy(
  tx: TenantTransaction,
  id: string,
  path = 'input.id',
): Promise<{ policy: PolicyRow; versions: PolicyVersionRow[] }> {
  if (!isId(id)) fail('NOT_FOUND', { path })
  const [policy] = await tx.sql<PolicyRow>(
    `select ${POLICY_COLUMNS} from policy where organization_id = $1::uuid and id = $2::uuid for no key update`,
    tx.actor.organizationId,
    id,
  )
  if (!policy) return fail('NOT_FOUND', { path })
  const versions = await tx.sql<PolicyVersionRow>(
    `select ${VERSION_COLUMNS} from policy_version v
     where v.organization_id = $1::uuid and v.policy_id = $2::uuid order by v.number desc`,
    tx.actor.organizationId,
    id,
  )
  return { policy, versions }
}
