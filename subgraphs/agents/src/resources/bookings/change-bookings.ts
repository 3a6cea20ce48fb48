import type { TenantTransaction } from '@tutti/prisma'
import { fail, type NewEvent } from '@tutti/schema'
import { BOOKING_COLUMNS, type HolderKind, IS_LIVE, type ResourceBookingRow } from './resource-booking.ts'
import { type LiveBooking, settleBookings } from './settle-bookings.ts'

type Transaction = Pick<TenantTransaction, 'sql' | 'actor' | 'appendEvents'>

/** A booking with whose it is. */
export interface OwnedBooking extends LiveBooking {
  holderKind: HolderKind
  holderId: string
  /** Within which idempotency keys count. */
  requesterId: string
}

/** A resource, locked until the transaction ends, with what of it is alive. */
export interface LockedResource {
  id: string
  name: string
  capacity: number
  fence: number
  place: number
  contended: boolean
  bookings: OwnedBooking[]
  /** Milliseconds since the epoch, by the database's clock. */
  now: number
}

const MS = (column: string): string => `floor(extract(epoch from ${column}) * 1000)::float8`

/** Locks a resource by its id or name. NOT_FOUND with the path given. */
export async function lockResource(
  tx: Transaction,
  by: { id: string } | { name: string },
  path: string,
): Promise<LockedResource> {
  const { organizationId } = tx.actor
  const [column, value] = 'id' in by ? ['id = $2::uuid', by.id] : ['name = $2', by.name]
  const [resource] = await tx.sql<Omit<LockedResource, 'bookings' | 'now'>>(
    `select id, name, capacity, fence::float8 as fence, place::float8 as place, contended_at is not null as contended
     from shared_resource where organization_id = $1::uuid and ${column} for update`,
    organizationId,
    value,
  )
  if (!resource) return fail('NOT_FOUND', { path, message: 'There is no such resource.' })
  // Read after the lock is held: what others did before is seen, and the clock is past it.
  const bookings = await tx.sql<OwnedBooking>(
    `select id, status, amount, lease_seconds as "leaseSeconds", ${MS('starts_at')} as "startsAt", ${MS('ends_at')} as "endsAt",
       ${MS('order_at')} as "orderAt", place::float8 as place, ${MS('waits_until')} as "waitsUntil", fence::float8 as fence,
       holder_kind as "holderKind", holder_id as "holderId", requester_id as "requesterId"
     from resource_booking where organization_id = $1::uuid and resource_id = $2::uuid and ${IS_LIVE} order by id`,
    organizationId,
    resource.id,
  )
  const [clock] = await tx.sql<{ now: number }>(`select ${MS('clock_timestamp()')} as now`)
  return { ...resource, bookings, now: clock?.now ?? Date.now() }
}

/**
 * Brings a locked resource up to its moment and writes what became of it, with what the caller changed beforehand
 * (`asked`: bookings as they are to be, or new ones, which are stored as waiting by then).
 * Events: `resource.granted`, `resource.booked`, `resource.queued`, `resource.ended`; `resource.contended` when somebody
 * begins to wait and nobody did.
 */
export async function settleResource(
  tx: Transaction,
  resource: LockedResource,
  asked: { changed?: OwnedBooking; made?: OwnedBooking } = {},
): Promise<void> {
  const { organizationId } = tx.actor
  const { changed, made } = asked
  const before = new Map(resource.bookings.map((each) => [each.id, each]))
  const bookings = resource.bookings
    .map((each) => (each.id === changed?.id ? changed : each))
    .concat(made ?? [])
  const settled = settleBookings(resource, bookings, resource.now)
  const after = new Map(settled.changed.map((each) => [each.id, each]))
  // What ends is told before what that makes room for, and grants are told in their order.
  const touched = bookings
    .flatMap((booking): OwnedBooking[] => {
      const next = after.get(booking.id)
      if (next) return [{ ...booking, ...next }]
      return booking === changed ? [booking] : []
    })
    .toSorted((a, b) => turnOf(a) - turnOf(b))
  if (touched.length > 0)
    await tx.sql(
      `update resource_booking b set status = x.status, starts_at = to_timestamp(x.starts / 1000), ends_at = to_timestamp(x.ends / 1000),
         waits_until = to_timestamp(x.waits / 1000), fence = x.fence,
         ended_at = case when x.status in ('released', 'expired') then clock_timestamp() end
       from jsonb_to_recordset($2::jsonb) as x(id uuid, status text, starts float8, ends float8, waits float8, fence bigint)
       where b.organization_id = $1::uuid and b.id = x.id returning b.id`,
      organizationId,
      JSON.stringify(
        touched.map(({ id, status, startsAt, endsAt, waitsUntil, fence }) => ({
          id,
          status,
          starts: startsAt,
          ends: endsAt,
          waits: status === 'queued' ? waitsUntil : null,
          fence,
        })),
      ),
    )
  await tx.sql(
    `update shared_resource set fence = $3::bigint, place = $4::bigint, due_at = to_timestamp($5::float8 / 1000),
       contended_at = case when $6::boolean then coalesce(contended_at, clock_timestamp()) end
     where organization_id = $1::uuid and id = $2::uuid returning id`,
    organizationId,
    resource.id,
    settled.fence,
    made?.place ?? resource.place,
    settled.dueAt,
    settled.waiting,
  )
  const events = touched.concat(made && !after.has(made.id) ? made : []).flatMap((booking): NewEvent[] => {
    if (before.get(booking.id)?.status === booking.status) return []
    return [eventOf(resource, booking)]
  })
  if (settled.waiting && !resource.contended) {
    const waiting = bookings.filter(({ id, status }) => (after.get(id)?.status ?? status) === 'queued').length
    const { id: resourceId, name, capacity } = resource
    events.push({
      type: 'resource.contended',
      subject: `resource/${resourceId}`,
      data: { resourceId, name, capacity, waiting },
    })
  }
  await tx.appendEvents(events)
}

function eventOf({ id: resourceId, name }: LockedResource, booking: OwnedBooking): NewEvent {
  const { id: bookingId, status, holderKind, holderId, amount, fence } = booking
  const subject = `resource/${resourceId}`
  const about = { resourceId, name, bookingId, holderKind, holderId, amount }
  const [from, until] = [isoOf(booking.startsAt), isoOf(booking.endsAt)]
  if (status === 'held')
    return { type: 'resource.granted', subject, data: { ...about, fence: fence ?? 0, until } }
  if (status === 'booked') return { type: 'resource.booked', subject, data: { ...about, from, until } }
  if (status === 'queued') return { type: 'resource.queued', subject, data: about }
  return { type: 'resource.ended', subject, data: { ...about, fence, cause: status } }
}

const turnOf = ({ status, fence }: OwnedBooking): number =>
  status === 'released' || status === 'expired' ? 0 : (fence ?? 0)

const isoOf = (ms: number | null): string => new Date(ms ?? 0).toISOString()

/** A booking as readers see it, in the same transaction. INTERNAL when it is not there. */
export async function readBooking(tx: Transaction, id: string): Promise<ResourceBookingRow> {
  const [booking] = await tx.sql<ResourceBookingRow>(
    `select ${BOOKING_COLUMNS} from resource_booking where organization_id = $1::uuid and id = $2::uuid`,
    tx.actor.organizationId,
    id,
  )
  return booking ?? fail('INTERNAL')
}
