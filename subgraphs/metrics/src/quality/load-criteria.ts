import type { Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import { DEFAULT_CRITERIA, type QualityCriteria, qualityCriteria } from './scorers/index.ts'

interface Row {
  version: number
  minimumScore: number
  criteria: unknown
}

/** The newest criteria of a name; the organization's default ones when there are none; else the platform's, version 0. */
export async function loadCriteria(
  { database }: { database: Database },
  actor: Actor,
  name: string,
): Promise<QualityCriteria> {
  const [row] = await database.readTenant<Row>(
    actor,
    `select version, minimum_score as "minimumScore", criteria from quality_criteria
     where organization_id = $1::uuid and name in ($2, 'default') order by name = $2 desc, version desc limit 1`,
    [actor.organizationId, name],
  )
  if (!row) return { ...DEFAULT_CRITERIA, version: 0 }
  const criteria = typeof row.criteria === 'object' ? row.criteria : {}
  return qualityCriteria.parse({ ...criteria, version: row.version, minimumScore: row.minimumScore })
}
