/** When a version that was approved is in force; null: no such moment. */
export interface VersionDates {
  activatedAt: Date | null
  effectiveFrom: Date | null
  effectiveUntil: Date | null
  /** When another version takes its place, or it was retired. */
  endedAt: Date | null
}

/** Milliseconds since the epoch from which on it is in force. A beginning that was past at its approval bounds nothing. */
export const beginOf = ({ activatedAt, effectiveFrom }: VersionDates): number =>
  effectiveFrom !== null && (activatedAt === null || effectiveFrom > activatedAt)
    ? effectiveFrom.getTime()
    : Number.NEGATIVE_INFINITY

/** Milliseconds since the epoch from which on it is in force no more. */
export const endOf = ({ effectiveUntil, endedAt }: VersionDates): number =>
  Math.min(
    effectiveUntil?.getTime() ?? Number.POSITIVE_INFINITY,
    endedAt?.getTime() ?? Number.POSITIVE_INFINITY,
  )

/** Whether it is in force at a moment, in milliseconds since the epoch. */
export const holdsAt = (dates: VersionDates, at: number): boolean => beginOf(dates) <= at && at < endOf(dates)

/** What becomes of a version when a newer one is approved. */
export interface Succession<Version> {
  version: Version
  /** It is over, or never comes. */
  isRetired: boolean
  endedAt: Date
}

/**
 * A newer version takes the place of those before it from its beginning on: what holds until then ends there, and what would
 * begin no sooner never comes. `before`: the versions that are in force or wait for their time. Pure.
 */
export function succeed<Version extends VersionDates>(
  before: readonly Version[],
  candidate: Pick<VersionDates, 'effectiveFrom'>,
  now: Date,
): Succession<Version>[] {
  const begin = Math.max(now.getTime(), candidate.effectiveFrom?.getTime() ?? 0)
  return before.map((version) => {
    const isRetired = begin <= now.getTime() || beginOf(version) >= begin || endOf(version) <= now.getTime()
    const end = Math.min(endOf(version), isRetired ? now.getTime() : begin)
    return { version, isRetired, endedAt: new Date(end) }
  })
}
