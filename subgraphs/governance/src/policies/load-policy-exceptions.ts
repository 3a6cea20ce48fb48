import type { Context } from '../context.ts'
import { groupBy } from '../extensions/group-by.ts'
import { EXCEPTION_COLUMNS, type PolicyExceptionRow } from './policy-row.ts'

const MOST = 100

/** The exceptions of policies, in one read: of each the newest 100, the newest first. */
export async function loadPolicyExceptions(
  { database, actor }: Context,
  policyIds: readonly string[],
): Promise<ReadonlyMap<string, PolicyExceptionRow[]>> {
  const rows = await database.readTenant<PolicyExceptionRow>(
    actor,
    `select x.* from unnest($2::uuid[]) p (id) cross join lateral (select ${EXCEPTION_COLUMNS} from policy_exception w
       where w.organization_id = $1 and w.policy_id = p.id order by w.id desc limit $3) x`,
    [actor.organizationId, policyIds, MOST],
  )
  return groupBy(rows, ({ policyId }) => policyId)
}
