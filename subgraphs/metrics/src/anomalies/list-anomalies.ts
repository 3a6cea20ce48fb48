import { readPage } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { ANOMALY_COLUMNS, type AnomalyRow } from './anomaly-row.ts'

/** The organization's newest anomalies, 1 to 100. */
export async function listAnomalies(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  { first }: { first?: number | null },
): Promise<AnomalyRow[]> {
  const { take } = readPage({ first })
  return database.readTenant<AnomalyRow>(
    actor,
    `select ${ANOMALY_COLUMNS} from anomaly where organization_id = $1::uuid order by detected_at desc, id desc limit $2`,
    [actor.organizationId, take - 1],
  )
}
