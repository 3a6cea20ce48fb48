import type { Actor } from '@tutti/schema'
import type { Services } from '../context.ts'
import { lockTrigger, tellChange } from './lock-trigger.ts'

/** Removes a trigger with its firings; runs it started stay. Events: trigger.changed. NOT_FOUND. */
export async function deleteTrigger(
  { database }: Pick<Services, 'database'>,
  actor: Actor,
  id: string,
): Promise<void> {
  await database.inTenant(actor, async (tx) => {
    const row = await lockTrigger(tx, id)
    await tx.sql(
      'delete from trigger where organization_id = $1::uuid and id = $2::uuid returning id',
      actor.organizationId,
      id,
    )
    await tellChange(tx, row, 'deleted')
  })
}
