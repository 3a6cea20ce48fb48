import type { Context } from '../context.ts'
import { groupBy } from '../extensions/group-by.ts'
import { type PolicyVersionRow, VERSION_COLUMNS } from './policy-row.ts'

const MOST = 100

/** The versions of policies, in one read: of each the newest 100, the newest first. */
export async function loadPolicyVersions(
  { database, actor }: Context,
  policyIds: readonly string[],
): Promise<ReadonlyMap<string, PolicyVersionRow[]>> {
  const rows = await database.readTenant<PolicyVersionRow>(
    actor,
    `select ${VERSION_COLUMNS} from unnest($2::uuid[]) p (id) cross join lateral (select * from policy_version w
       where w.organization_id = $1 and w.policy_id = p.id order by w.number desc limit $3) v`,
    [actor.organizationId, policyIds, MOST],
  )
  return groupBy(rows, ({ policyId }) => policyId)
}
