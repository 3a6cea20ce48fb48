import type { TenantTransaction } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import { type LockedResource, lockResource, type OwnedBooking } from './change-bookings.ts'

/**
 * The resource of a booking, locked, with the booking where it is not over. An agent's key sees what it asked for itself
 * alone. NOT_FOUND.
 */
export async function lockBooking(
  tx: TenantTransaction,
  id: string,
  requesterId: string,
): Promise<{ resource: LockedResource; booking: OwnedBooking | null }> {
  const [row] = isId(id)
    ? await tx.sql<{ resourceId: string; requesterId: string }>(
        `select resource_id as "resourceId", requester_id as "requesterId" from resource_booking
         where organization_id = $1::uuid and id = $2::uuid`,
        tx.actor.organizationId,
        id,
      )
    : []
  if (!row || (tx.actor.kind === 'agent' && row.requesterId !== requesterId))
    return fail('NOT_FOUND', { path: 'input.id', message: 'There is no such booking, or it is not yours.' })
  const resource = await lockResource(tx, { id: row.resourceId }, 'input.id')
  return { resource, booking: resource.bookings.find((each) => each.id === id) ?? null }
}
