import type { Context } from '../context.ts'
import { groupBy } from '../extensions/group-by.ts'
import { type EscalationStepRow, STEP_COLUMNS } from './escalation-step.ts'

/** Histories by escalation, oldest first, in one read. */
export async function loadSteps(
  { database, actor }: Context,
  escalationIds: readonly string[],
): Promise<ReadonlyMap<string, EscalationStepRow[]>> {
  const rows = await database.readTenant<EscalationStepRow>(
    actor,
    `select ${STEP_COLUMNS} from escalation_step
     where organization_id = $1 and escalation_id = any($2::uuid[]) order by id`,
    [actor.organizationId, escalationIds],
  )
  return groupBy(rows, (row) => row.escalationId)
}
