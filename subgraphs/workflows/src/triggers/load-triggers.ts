import type { Context } from '../context.ts'
import { TRIGGER_COLUMNS, type TriggerRow } from './trigger-row.ts'

/** Triggers by id. */
export async function loadTriggers({ database, actor }: Context, ids: readonly string[]) {
  const rows = await database.readTenant<TriggerRow>(
    actor,
    `select ${TRIGGER_COLUMNS} from trigger t where t.organization_id = $1 and t.id = any($2::uuid[])`,
    [actor.organizationId, ids],
  )
  return new Map(rows.map((row) => [row.id, row]))
}
