import { actorRecord, type Database } from '@tutti/prisma'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { digestOf, idempotencyKey, word } from '../../messaging/message-input.ts'
import { lockResource, type OwnedBooking, readBooking, settleResource } from './change-bookings.ts'
import { type HolderRequest, holderOf } from './holder-of.ts'
import { MOST_LIVE, type ResourceBookingRow } from './resource-booking.ts'

const A_DAY = 86_400
/** A point of priority goes before whoever came up to this much earlier, and no further: nobody waits for ever. */
const POINT_MS = 10 * 60 * 1_000

/** What a lease and a window have in common. */
export const bookingInput = z.object({
  resource: word(),
  amount: z.int().min(1).max(1_000_000).default(1),
  priority: z.int().min(0, 'From 0 to 9.').max(9, 'From 0 to 9.').default(0),
  waitSeconds: z.int().min(0).max(A_DAY, 'At most 86,400, which is a day.').default(3_600),
  runId: z.string().nullish(),
  taskId: z.string().nullish(),
  agentId: z.string().nullish(),
  idempotencyKey,
})

/** Seconds of a lease. */
export const leaseSecondsInput = z
  .int()
  .min(1, 'At least 1.')
  .max(A_DAY, 'At most 86,400, which is a day.')
  .default(60)

/** Absent fields may be null. */
export const withoutNulls = (request: object): object =>
  Object.fromEntries(Object.entries(request).filter(([, value]) => value !== null))

/** A booking that somebody asks for; of a lease the seconds, of a window its ends, milliseconds since the epoch. */
export interface NewBooking extends HolderRequest {
  resource: string
  amount: number
  priority: number
  waitSeconds: number
  leaseSeconds: number | null
  startsAt: number | null
  endsAt: number | null
  idempotencyKey?: string | null | undefined
}

/** A booking, and whether it was made now. */
export interface MadeBooking {
  booking: ResourceBookingRow
  created: boolean
}

/**
 * Puts a request into a resource's queue and settles it: what has room has it at once. Once an idempotency key: again, it
 * answers with the booking as it is by now. NOT_FOUND; BAD_INPUT for more than there ever is; CONFLICT where it would have
 * to wait and does not want to; INVALID_STATE when 500 are there already; IDEMPOTENCY_KEY_REUSED.
 */
export async function requestBooking(
  { database }: { database: Database },
  actor: Actor,
  request: NewBooking,
): Promise<MadeBooking> {
  const holder = await holderOf(database, actor, request)
  // A window waits until it would begin, so how long that is differs with each asking.
  const { waitSeconds, leaseSeconds } = request
  const asked = { ...request, waitSeconds: leaseSeconds === null ? Math.min(1, waitSeconds) : waitSeconds }
  const digest = request.idempotencyKey == null ? null : digestOf(asked)
  return database.inTenant(actor, async (tx) => {
    const { organizationId } = actor
    const resource = await lockResource(tx, { name: request.resource }, 'input.resource')
    if (digest !== null) {
      const [known] = await tx.sql<{ id: string; digest: string }>(
        `select id, digest from resource_booking where organization_id = $1::uuid and resource_id = $2::uuid
           and requester_id = $3 and idempotency_key = $4`,
        organizationId,
        resource.id,
        holder.requesterId,
        request.idempotencyKey,
      )
      if (known && known.digest !== digest) fail('IDEMPOTENCY_KEY_REUSED', { path: 'input.idempotencyKey' })
      if (known) return { booking: await readBooking(tx, known.id), created: false }
    }
    const { amount, priority, startsAt, endsAt } = request
    if (amount > resource.capacity)
      fail('BAD_INPUT', {
        path: 'input.amount',
        message: `"${resource.name}" has ${resource.capacity} in all.`,
      })
    if (resource.bookings.length >= MOST_LIVE)
      fail('INVALID_STATE', {
        path: 'input.resource',
        message: `${MOST_LIVE} have or want it already.`,
      })
    if (startsAt !== null && startsAt <= resource.now)
      fail('BAD_INPUT', { path: 'input.from', message: 'It has passed.', hint: 'For now, acquire it.' })
    const terms = {
      status: 'queued',
      amount,
      leaseSeconds,
      startsAt,
      endsAt,
      orderAt: resource.now - priority * POINT_MS,
      place: resource.place + 1,
      waitsUntil: resource.now + waitSeconds * 1_000,
      holderKind: holder.kind,
      holderId: holder.id,
      requesterId: holder.requesterId,
    } as const
    const [row] = await tx.sql<{ id: string }>(
      `insert into resource_booking (organization_id, resource_id, holder_kind, holder_id, requested_by, requester_id, amount,
         priority, status, lease_seconds, starts_at, ends_at, order_at, place, waits_until, idempotency_key, digest)
       values ($1::uuid, $2::uuid, $3, $4, $5::jsonb, $6, $7::int, $8::int, 'queued', $9::int, to_timestamp($10::float8 / 1000),
         to_timestamp($11::float8 / 1000), to_timestamp($12::float8 / 1000), $13::bigint, to_timestamp($14::float8 / 1000), $15, $16)
       returning id`,
      organizationId,
      resource.id,
      holder.kind,
      holder.id,
      JSON.stringify(actorRecord(actor)),
      holder.requesterId,
      amount,
      priority,
      leaseSeconds,
      startsAt,
      endsAt,
      terms.orderAt,
      terms.place,
      terms.waitsUntil,
      request.idempotencyKey ?? null,
      digest,
    )
    if (!row) return fail('INTERNAL')
    // Who does not want to wait is looked at as if they did, so that what is free is theirs.
    const made: OwnedBooking = {
      ...terms,
      id: row.id,
      fence: null,
      waitsUntil: resource.now + Math.max(1, waitSeconds * 1_000),
    }
    await settleResource(tx, resource, { made })
    const booking = await readBooking(tx, row.id)
    if (waitSeconds === 0 && booking.status === 'queued')
      fail('CONFLICT', {
        path: 'input.resource',
        message: `"${resource.name}" has no room for ${amount} then; others have or want it.`,
        hint: 'Wait for it (waitSeconds), or ask for less or another time.',
      })
    return { booking, created: true }
  })
}
