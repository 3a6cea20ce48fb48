import { isId } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { ANOMALY_COLUMNS, type AnomalyRow } from './anomaly-row.ts'

/** Anomalies by id, in one read; an id that is not of this organization is left out. */
export async function loadAnomalies(
  { database, actor }: Context,
  ids: readonly string[],
): Promise<ReadonlyMap<string, AnomalyRow>> {
  const rows = await database.readTenant<AnomalyRow>(
    actor,
    `select ${ANOMALY_COLUMNS} from anomaly where organization_id = $1::uuid and id = any($2::uuid[])`,
    [actor.organizationId, ids.filter(isId)],
  )
  return new Map(rows.map((row) => [row.id, row]))
}
