import type { TenantTransaction } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import { INCIDENT_COLUMNS, type IncidentRow } from './incident-row.ts'

/** The incident, locked until the transaction ends. NOT_FOUND when it is not of this organization. */
export async function lockIncident(tx: TenantTransaction, id: string): Promise<IncidentRow> {
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  const [row] = await tx.sql<IncidentRow>(
    `select ${INCIDENT_COLUMNS} from incident
     where organization_id = $1::uuid and id = $2::uuid for no key update`,
    tx.actor.organizationId,
    id,
  )
  return row ?? fail('NOT_FOUND', { path: 'input.id' })
}
