import type { Database } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { readBooking, settleResource } from './change-bookings.ts'
import { requesterOf } from './holder-of.ts'
import { lockBooking } from './lock-booking.ts'
import { leaseSecondsInput, withoutNulls } from './request-booking.ts'
import type { ResourceBookingRow } from './resource-booking.ts'
import { longestLease } from './settle-bookings.ts'

const input = z.object({ id: z.string(), fence: z.int(), leaseSeconds: leaseSecondsInput })

/**
 * Keeps a lease for so many seconds from now: as long as is wished, at most until a booked window needs it, and never
 * shorter than it was. STALE_LEASE when it is over, or was never had under this fence; INVALID_STATE for a window, which
 * ends when it ends; NOT_FOUND, BAD_INPUT.
 */
export async function renewResource(
  { database }: { database: Database },
  actor: Actor,
  request: object,
): Promise<ResourceBookingRow> {
  const { id, fence, leaseSeconds } = parseInput(input, withoutNulls(request))
  const requesterId = await requesterOf(database, actor)
  return database.inTenant(actor, async (tx) => {
    const { resource, booking } = await lockBooking(tx, id, requesterId)
    if (booking?.status !== 'held' || booking.fence !== fence || (booking.endsAt ?? 0) <= resource.now)
      return fail('STALE_LEASE', {
        path: 'input.fence',
        message: 'The resource is not held under this fence; stop using it.',
      })
    if (booking.leaseSeconds === null)
      fail('INVALID_STATE', { path: 'input.id', message: 'A booked window ends when it ends.' })
    const wished = resource.now + leaseSeconds * 1_000
    const endsAt = longestLease(resource.capacity, booking, resource.bookings, wished)
    await settleResource(tx, resource, { changed: { ...booking, endsAt } })
    return readBooking(tx, id)
  })
}
