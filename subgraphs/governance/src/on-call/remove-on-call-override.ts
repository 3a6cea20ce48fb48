import { isId } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { recordOnCallChange } from './record-on-call-change.ts'

/**
 * Takes an override back; answers with its id. Events: on_call.changed. Audit: a decision. NOT_FOUND when there is none.
 */
export async function removeOnCallOverride(
  { database }: DomainServices,
  actor: Actor,
  { id }: { id: string },
): Promise<string> {
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  return database.inTenant(actor, async (tx) => {
    const [schedule] = await tx.sql<{ id: string; name: string; personId: string }>(
      `delete from on_call_override o using on_call_schedule s
       where o.organization_id = $1::uuid and o.id = $2::uuid
         and s.organization_id = o.organization_id and s.id = o.schedule_id
       returning s.id, s.name, o.person_id as "personId"`,
      actor.organizationId,
      id,
    )
    if (!schedule) fail('NOT_FOUND', { path: 'input.id' })
    const { personId } = schedule
    await recordOnCallChange(tx, schedule, 'override_removed', { personId }, id)
    return id
  })
}
