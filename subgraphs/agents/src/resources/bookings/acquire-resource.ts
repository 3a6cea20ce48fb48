import type { Database } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import {
  bookingInput,
  leaseSecondsInput,
  type MadeBooking,
  requestBooking,
  withoutNulls,
} from './request-booking.ts'

const input = bookingInput.extend({ leaseSeconds: leaseSecondsInput })

/**
 * Asks for a share of a resource from now on, by lease: held at once where there is room and nobody waits before, else in
 * the queue. BAD_INPUT with every mistake, and as {@link requestBooking}.
 */
export async function acquireResource(
  services: { database: Database },
  actor: Actor,
  request: object,
): Promise<MadeBooking> {
  const given = parseInput(input, withoutNulls(request))
  return requestBooking(services, actor, { ...given, startsAt: null, endsAt: null })
}
