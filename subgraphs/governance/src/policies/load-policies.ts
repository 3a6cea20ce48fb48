import { isId } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { POLICY_COLUMNS, type PolicyRow } from './policy-row.ts'

/** Policies by id, in one read; an id that is not of this organization is left out. */
export async function loadPolicies(
  { database, actor }: Context,
  ids: readonly string[],
): Promise<ReadonlyMap<string, PolicyRow>> {
  const rows = await database.readTenant<PolicyRow>(
    actor,
    `select ${POLICY_COLUMNS} from policy where organization_id = $1 and id = any($2::uuid[])`,
    [actor.organizationId, ids.filter(isId)],
  )
  return new Map(rows.map((row) => [row.id, row]))
}
