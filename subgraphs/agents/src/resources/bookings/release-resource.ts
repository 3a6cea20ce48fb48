import type { Database } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { readBooking, settleResource } from './change-bookings.ts'
import { requesterOf } from './holder-of.ts'
import { lockBooking } from './lock-booking.ts'
import type { ResourceBookingRow } from './resource-booking.ts'

const input = z.object({ id: z.string(), fence: z.int().nullish() })

/**
 * Gives a booking back: what is held, booked, or waited for. The next in line has it with the commit. Of what is over by
 * now it answers as it is. STALE_LEASE when it is held under another fence than the one given; NOT_FOUND, BAD_INPUT.
 */
export async function releaseResource(
  { database }: { database: Database },
  actor: Actor,
  request: object,
): Promise<ResourceBookingRow> {
  const { id, fence } = parseInput(input, request)
  const requesterId = await requesterOf(database, actor)
  return database.inTenant(actor, async (tx) => {
    const { resource, booking } = await lockBooking(tx, id, requesterId)
    if (booking && fence != null && booking.fence !== fence)
      fail('STALE_LEASE', { path: 'input.fence', message: 'It is not held under this fence.' })
    if (booking) await settleResource(tx, resource, { changed: { ...booking, status: 'released' } })
    return readBooking(tx, id)
  })
}
