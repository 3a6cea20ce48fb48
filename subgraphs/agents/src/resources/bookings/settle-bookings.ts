/** Where a booking is on its way. */
export type BookingStatus = 'queued' | 'booked' | 'held' | 'released' | 'expired'

/** A share of a resource that is waited for, booked or held. Moments are milliseconds since the epoch. */
export interface LiveBooking {
  id: string
  status: BookingStatus
  amount: number
  /** Of a lease; null: a window from `startsAt` to `endsAt`. */
  leaseSeconds: number | null
  startsAt: number | null
  endsAt: number | null
  /** Who waits is served in the order of these two. */
  orderAt: number
  place: number
  waitsUntil: number | null
  fence: number | null
}

/** A stretch of time in which an amount is taken. */
export interface Stretch {
  amount: number
  from: number
  to: number
}

/** Who waits, first the next in line. */
export const inLine = (a: LiveBooking, b: LiveBooking): number => a.orderAt - b.orderAt || a.place - b.place

/** The most that is taken at any moment of a stretch. */
export function peakWithin(taken: readonly Stretch[], from: number, to: number): number {
  const within = taken.filter((each) => each.from < to && each.to > from)
  // What is taken only grows where a stretch begins.
  return [from, ...within.map((each) => Math.max(from, each.from))].reduce((most, moment) => {
    const there = within.filter((each) => each.from <= moment && each.to > moment)
    return Math.max(
      most,
      there.reduce((sum, { amount }) => sum + amount, 0),
    )
  }, 0)
}

/** What is booked and held, as stretches. */
export const takenBy = (bookings: readonly LiveBooking[]): Stretch[] =>
  bookings.flatMap(({ status, amount, startsAt: from, endsAt: to }) =>
    (status === 'booked' || status === 'held') && from !== null && to !== null ? [{ amount, from, to }] : [],
  )

/** What became of a resource's bookings. */
export interface Settled {
  /** Those that are another by now, as they are. */
  changed: LiveBooking[]
  /** The fence of the newest grant. */
  fence: number
  /** Whether anybody waits. */
  waiting: boolean
  /** When something ends or begins by itself next; null: nothing does. */
  dueAt: number | null
}

/**
 * Brings a resource up to now: what is over ends, windows begin, and who waits gets what is free. A lease is given only
 * whole: for all its time there must be room beside what is held and booked. Leases are given strictly in line, so that who
 * wants much is not passed for ever by those who want little; windows each have a time of their own and pass one another.
 * At no moment is more than the capacity taken, if it was not before.
 */
export function settleBookings(
  { capacity, fence: before }: { capacity: number; fence: number },
  bookings: readonly LiveBooking[],
  now: number,
): Settled {
  const live = new Map(bookings.map((each) => [each.id, each]))
  const changed = new Map<string, LiveBooking>()
  let fence = before
  const set = (booking: LiveBooking, change: Partial<LiveBooking>): void => {
    const next = { ...booking, ...change }
    live.set(next.id, next)
    changed.set(next.id, next)
  }
  const hold = (booking: LiveBooking, startsAt: number, endsAt: number): void => {
    fence += 1
    set(booking, { status: 'held', startsAt, endsAt, waitsUntil: null, fence })
  }
  const all = (...statuses: BookingStatus[]): LiveBooking[] =>
    [...live.values()].filter(({ status }) => statuses.includes(status))

  for (const booking of all('held', 'booked'))
    if ((booking.endsAt ?? now) <= now) set(booking, { status: 'expired' })
  for (const booking of all('queued')) {
    const over = booking.leaseSeconds === null ? booking.startsAt : null
    if (Math.min(booking.waitsUntil ?? Infinity, over ?? Infinity) <= now)
      set(booking, { status: 'expired', waitsUntil: null })
  }
  for (const booking of all('booked').toSorted((a, b) => (a.startsAt ?? 0) - (b.startsAt ?? 0)))
    if (booking.startsAt !== null && booking.endsAt !== null && booking.startsAt <= now)
      hold(booking, booking.startsAt, booking.endsAt)

  const fits = (amount: number, from: number, to: number): boolean =>
    peakWithin(takenBy([...live.values()]), from, to) + amount <= capacity
  let blocked = false
  for (const booking of all('queued').toSorted(inLine)) {
    const { amount, leaseSeconds, startsAt, endsAt } = booking
    if (leaseSeconds === null) {
      if (startsAt !== null && endsAt !== null && fits(amount, startsAt, endsAt))
        set(booking, { status: 'booked', waitsUntil: null })
    } else if (!blocked) {
      const until = now + leaseSeconds * 1_000
      if (fits(amount, now, until)) hold(booking, now, until)
      else blocked = true
    }
  }

  const moments = all('queued', 'booked', 'held').flatMap(
    ({ status, leaseSeconds, startsAt, endsAt, waitsUntil }) =>
      status === 'held' ? [endsAt] : [leaseSeconds === null ? startsAt : null, waitsUntil],
  )
  const known = moments.filter((moment) => moment !== null)
  return {
    changed: [...changed.values()],
    fence,
    waiting: all('queued').length > 0,
    dueAt: known.length === 0 ? null : Math.min(...known),
  }
}

/**
 * Until when a lease can be held: as long as is wished, and at most until a booked window needs what it has. Never before
 * its present end.
 */
export function longestLease(
  capacity: number,
  { id, amount, endsAt }: LiveBooking,
  bookings: readonly LiveBooking[],
  wished: number,
): number {
  const from = endsAt ?? 0
  const others = takenBy(bookings.filter((each) => each.id !== id))
  const starts = others.map((each) => each.from).filter((moment) => moment > from && moment < wished)
  for (const moment of [from, ...starts.toSorted((a, b) => a - b)])
    if (moment < wished && peakWithin(others, moment, moment + 1) + amount > capacity) return moment
  return Math.max(from, wished)
}
