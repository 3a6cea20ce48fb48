import type { Context } from '../context.ts'
import { DELEGATION_COLUMNS, type DelegationRow } from './delegation-row.ts'

/** The rights to decide that are lent to people now, by the id of whom they are lent to; the first 100 of each. */
export async function loadLent(
  { database, actor }: Context,
  ids: readonly string[],
): Promise<ReadonlyMap<string, DelegationRow[]>> {
  const rows = await database.readTenant<DelegationRow>(
    actor,
    `select lent.* from unnest($2::text[]) as x(id) cross join lateral (
       select ${DELEGATION_COLUMNS} from approval_delegation d
       where d.organization_id = $1 and d.to_id = x.id and d.ended_at is null and d.starts_at <= clock_timestamp()
         and d.ends_at > clock_timestamp() order by d.id limit 100) lent`,
    [actor.organizationId, ids],
  )
  return Map.groupBy(rows, ({ toId }) => toId)
}
