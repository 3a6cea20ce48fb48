import { isId } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { groupBy } from '../extensions/group-by.ts'
import { DECISION_COLUMNS, type DecisionRow } from './decision-row.ts'

/** The decisions of each approval, of all its rounds, oldest first, in one read. */
export async function loadDecisions(
  { database, actor }: Context,
  approvalIds: readonly string[],
): Promise<ReadonlyMap<string, DecisionRow[]>> {
  const rows = await database.readTenant<DecisionRow>(
    actor,
    `select ${DECISION_COLUMNS} from approval_decision
     where organization_id = $1 and approval_id = any($2::uuid[]) order by id`,
    [actor.organizationId, approvalIds.filter(isId)],
  )
  return groupBy(rows, ({ approvalId }) => approvalId)
}
