import { isId } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { recordOnCallChange } from './record-on-call-change.ts'

/**
 * Takes a schedule away with its overrides; answers with its id. Events: on_call.changed. Audit: a decision. NOT_FOUND
 * when there is none, CONFLICT while an escalation policy names it.
 */
export async function removeOnCallSchedule(
  { database }: DomainServices,
  actor: Actor,
  { id }: { id: string },
): Promise<string> {
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  return database.inTenant(actor, async (tx) => {
    const [schedule] = await tx.sql<{ id: string; name: string }>(
      'delete from on_call_schedule where organization_id = $1::uuid and id = $2::uuid returning id, name',
      actor.organizationId,
      id,
    )
    if (!schedule) fail('NOT_FOUND', { path: 'input.id' })
    const [policy] = await tx.sql<{ scope: string }>(
      `select scope from escalation_policy where organization_id = $1::uuid
         and levels @> jsonb_build_array(jsonb_build_object('responsible',
           jsonb_build_object('kind', 'schedule', 'name', $2::text))) limit 1`,
      actor.organizationId,
      schedule.name,
    )
    if (policy)
      fail('CONFLICT', { path: 'input.id', hint: `The escalation policy of a ${policy.scope} names it.` })
    await recordOnCallChange(tx, schedule, 'removed', {})
    return id
  })
}
