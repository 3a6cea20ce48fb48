import type { Context } from '../context.ts'
import { type PolicyVersionRow, VERSION_COLUMNS, VERSION_STATUS } from './policy-row.ts'

/** Of each policy the version that is in force now, in one read. */
export async function loadActiveVersions(
  { database, actor }: Context,
  policyIds: readonly string[],
): Promise<ReadonlyMap<string, PolicyVersionRow>> {
  const rows = await database.readTenant<PolicyVersionRow>(
    actor,
    `select ${VERSION_COLUMNS} from policy_version v
     where v.organization_id = $1 and v.policy_id = any($2::uuid[]) and v.status = 'active' and ${VERSION_STATUS} = 'active'`,
    [actor.organizationId, policyIds],
  )
  return new Map(rows.map((row) => [row.policyId, row]))
}
