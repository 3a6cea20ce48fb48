import { isId } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { groupBy } from '../extensions/group-by.ts'
import { ESCALATION_COLUMNS, type EscalationRow } from './escalation-row.ts'

/** Escalations by the run they came from, oldest first, in one read. */
export async function loadEscalationsOfRuns(
  { database, actor }: Context,
  runIds: readonly string[],
): Promise<ReadonlyMap<string, EscalationRow[]>> {
  const rows = await database.readTenant<EscalationRow>(
    actor,
    `select ${ESCALATION_COLUMNS} from escalation where organization_id = $1 and run_id = any($2::uuid[]) order by id`,
    [actor.organizationId, runIds.filter(isId)],
  )
  return groupBy(rows, (row) => row.runId)
}
