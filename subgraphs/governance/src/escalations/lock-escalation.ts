import type { TenantTransaction } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import { ESCALATION_COLUMNS, type EscalationRow } from './escalation-row.ts'

/** The escalation, locked until the transaction ends. NOT_FOUND when it is not of this organization. */
export async function lockEscalation(tx: TenantTransaction, id: string): Promise<EscalationRow> {
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  const [row] = await tx.sql<EscalationRow>(
    `select ${ESCALATION_COLUMNS} from escalation
     where organization_id = $1::uuid and id = $2::uuid for no key update`,
    tx.actor.organizationId,
    id,
  )
  return row ?? fail('NOT_FOUND', { path: 'input.id' })
}
