import type { SqlTransaction } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import { APPROVAL_COLUMNS, type ApprovalRow } from './approval-row.ts'

/** The approval, for nobody else to change until the transaction ends. NOT_FOUND at `path`. */
export async function lockApproval(tx: SqlTransaction, id: string, path = 'input.id'): Promise<ApprovalRow> {
  if (!isId(id)) fail('NOT_FOUND', { path })
  const [approval] = await tx.sql<ApprovalRow>(
    `select ${APPROVAL_COLUMNS} from approval where organization_id = $1::uuid and id = $2::uuid for no key update`,
    tx.actor.organizationId,
    id,
  )
  return approval ?? fail('NOT_FOUND', { path })
}
