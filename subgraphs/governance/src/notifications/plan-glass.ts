import { loadNames } from '@tutti/prisma'
import type { Actor, EventRecord } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { concernedBy, plan } from './plan-notifications.ts'

/**
 * Makes what is to be told of broken glass: to administrators but not to who broke it, and to the organization's channels; once,
 * however often this is called. Output: how many are new.
 */
export async function planGlass(
  { database }: DomainServices,
  actor: Actor,
  { subject, actor: doer, data }: EventRecord<'access.glass_broken'>,
): Promise<number> {
  const { breakGlassId, principalId, incidentId, endsAt } = data
  const name = (await loadNames({ database, actor }, [principalId])).get(principalId) ?? doer.name ?? doer.id
  return database.inTenant(actor, async (tx) => {
    const [broken] = await tx.sql<{ reason: string }>(
      'select reason from break_glass where organization_id = $1::uuid and id = $2::uuid',
      actor.organizationId,
      breakGlassId,
    )
    if (!broken) return 0
    const { reason } = broken
    return plan(
      tx,
      { subject, turn: 0, occasion: 'broken' },
      { ...concernedBy({ kind: 'role', name: 'admin' }), except: [principalId] },
      {
        type: 'access.glass_broken',
        title: 'The glass was broken',
        said: reason,
        lines: [
          `${name} took the role admin until ${endsAt}.`,
          `Somebody else reviews it when it is over. Broken glass ${breakGlassId}, incident ${incidentId}.`,
        ],
        data: { breakGlassId, incidentId, endsAt, reason, actor: { id: principalId, name } },
      },
    )
  })
}
