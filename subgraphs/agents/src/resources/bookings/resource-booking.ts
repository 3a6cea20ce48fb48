import type { BookingStatus } from './settle-bookings.ts'

/** Whose a booking is: a run's, a task's, an agent's, or somebody's who acts for themselves. */
export type HolderKind = 'run' | 'task' | 'agent' | 'actor'

/** Whose a booking is, as readers see it. */
export interface ResourceHolder {
  kind: HolderKind
  id: string
}

/** A booking as readers see it. */
export interface ResourceBookingRow {
  id: string
  resourceId: string
  holderKind: HolderKind
  holderId: string
  requestedBy: { id: string; kind: string; name: string }
  amount: number
  priority: number
  /** By the clock: what is over is so before anybody noted it. */
  status: BookingStatus
  startsAt: Date | null
  endsAt: Date | null
  leaseSeconds: number | null
  waitsUntil: Date | null
  fence: bigint | null
  createdAt: Date
  endedAt: Date | null
}

const OVER = `(status in ('booked', 'held') and ends_at <= clock_timestamp())`

/** The columns of a {@link ResourceBookingRow}. */
export const BOOKING_COLUMNS = `id, resource_id as "resourceId", holder_kind as "holderKind", holder_id as "holderId",
  requested_by as "requestedBy", amount, priority, case when ${OVER} then 'expired' else status end as status,
  starts_at as "startsAt", ends_at as "endsAt", lease_seconds as "leaseSeconds", waits_until as "waitsUntil", fence,
  created_at as "createdAt", case when ${OVER} then ends_at else ended_at end as "endedAt"`

/** What is not over: of a resource at most {@link MOST_LIVE}. */
export const IS_LIVE = `status in ('queued', 'booked', 'held')`
/** Bookings that a resource has or that wait for it, at once. */
export const MOST_LIVE = 500
