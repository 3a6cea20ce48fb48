import type { TenantTransaction } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import { TRIGGER_COLUMNS, type TriggerRow } from './trigger-row.ts'

/** The trigger, locked against schedulers and other changes; NOT_FOUND at `input.id`. */
export async function lockTrigger(tx: TenantTransaction, id: string): Promise<TriggerRow> {
  const [row] = isId(id)
    ? await tx.sql<TriggerRow>(
        `select ${TRIGGER_COLUMNS} from trigger t where t.organization_id = $1::uuid and t.id = $2::uuid for update`,
        tx.actor.organizationId,
        id,
      )
    : []
  return row ?? fail('NOT_FOUND', { path: 'input.id' })
}

/** Says in the log what was done to a trigger; whoever keeps triggers in mind reads them anew. */
export async function tellChange(
  tx: TenantTransaction,
  { id, name, workflowId }: Pick<TriggerRow, 'id' | 'name' | 'workflowId'>,
  change: 'created' | 'updated' | 'paused' | 'resumed' | 'deleted',
): Promise<void> {
  await tx.appendEvent({
    type: 'trigger.changed',
    subject: `trigger/${id}`,
    data: { triggerId: id, name, workflowId, change },
  })
}
