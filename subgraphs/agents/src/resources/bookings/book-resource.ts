import type { Database } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import { bookingInput, type MadeBooking, requestBooking, withoutNulls } from './request-booking.ts'

const MOST_MS = 30 * 86_400_000
const FURTHEST_MS = 366 * 86_400_000

const input = bookingInput
  .extend({ from: z.date(), to: z.date(), queue: z.boolean().default(false) })
  .superRefine(({ from, to }, context) => {
    const wrong = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message })
    if (to <= from) wrong('to', 'It is not after its beginning.')
    if (to.getTime() - from.getTime() > MOST_MS) wrong('to', 'A window has at most 30 days.')
    if (from.getTime() > Date.now() + FURTHEST_MS) wrong('from', 'At most 366 days ahead.')
  })

/**
 * Books a share of a resource for a window of time to come. It is held by itself when the window begins, and ends with it.
 * Where the capacity would be passed at any moment of it: CONFLICT, or, with `queue`, it waits for somebody to give up, at
 * the longest until it would begin. BAD_INPUT with every mistake, and as {@link requestBooking}.
 */
export async function bookResource(
  services: { database: Database },
  actor: Actor,
  request: object,
): Promise<MadeBooking> {
  const { from, to, queue, ...given } = parseInput(input, withoutNulls(request))
  const [startsAt, endsAt] = [from.getTime(), to.getTime()]
  const waitSeconds = queue ? Math.max(1, Math.ceil((startsAt - Date.now()) / 1_000)) : 0
  return requestBooking(services, actor, { ...given, waitSeconds, leaseSeconds: null, startsAt, endsAt })
}
