import { isId } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { ESCALATION_COLUMNS, type EscalationRow } from './escalation-row.ts'

/** Escalations by id, in one read; an id that is not of this organization is left out. */
export async function loadEscalations(
  { database, actor }: Context,
  ids: readonly string[],
): Promise<ReadonlyMap<string, EscalationRow>> {
  const rows = await database.readTenant<EscalationRow>(
    actor,
    `select ${ESCALATION_COLUMNS} from escalation where organization_id = $1 and id = any($2::uuid[])`,
    [actor.organizationId, ids.filter(isId)],
  )
  return new Map(rows.map((row) => [row.id, row]))
}
