/** Mean load of an hour; the hour as hours since the epoch. */
export interface HourOfLoad {
  hour: number
  load: number
}

/** What is expected of an hour, and of how many weeks it was learnt; 0: of other hours. */
export interface PredictedHour extends HourOfLoad {
  weeks: number
}

const WEEK = 168
const DAY = 24
/** Weeks that are looked back; load is kept for 30 days. */
export const WEEKS = 4
/** What a week counts against the week after it. */
const WEEK_WEIGHT = 0.7
/** Hours whose errors say how the level has moved, and what of that is left after each hour. */
const LEVEL_HOURS = 6
const LEVEL_KEPT = 0.9

/**
 * Predicts the load of so many hours from `now` on (hours since the epoch), from hours before it.
 *
 * season(h) = sum of 0.7^(j-1) * y(h - 168 j) / sum of 0.7^(j-1), over the weeks j = 1 to 4 that are known; where none is, the
 * mean of the same hour of the last seven days, else the mean of all. Prediction(now + i) = max(0, season + 0.9^(i+1) * e), where
 * e is the mean of y - season over the last 6 known hours of which a week before is known: how far the level has moved, which is
 * trusted less the further ahead. A seasonal-naive forecast with exponential weights (Hyndman and Athanasopoulos, Forecasting:
 * Principles and Practice, 3rd edition, 5.2 and 8.1), with a damped correction.
 */
export function predictLoad(history: readonly HourOfLoad[], now: number, hours: number): PredictedHour[] {
  const known = new Map(history.filter(({ hour }) => hour < now).map(({ hour, load }) => [hour, load]))
  if (known.size === 0) return []
  const overall = meanOf([...known.values()])
  const recent = Array.from({ length: LEVEL_HOURS }, (_, index) => now - 1 - index).flatMap((hour) => {
    const { load, weeks } = seasonOf(known, hour, overall)
    const real = known.get(hour)
    return real === undefined || weeks === 0 ? [] : [real - load]
  })
  const moved = recent.length === 0 ? 0 : meanOf(recent)
  return Array.from({ length: hours }, (_, index) => {
    const { load, weeks } = seasonOf(known, now + index, overall)
    return { hour: now + index, load: Math.max(0, load + moved * LEVEL_KEPT ** (index + 1)), weeks }
  })
}

function seasonOf(known: ReadonlyMap<number, number>, hour: number, overall: number) {
  let [sum, weights, weeks] = [0, 0, 0]
  for (let week = 1; week <= WEEKS; week += 1) {
    const load = known.get(hour - week * WEEK)
    if (load === undefined) continue
    const weight = WEEK_WEIGHT ** (week - 1)
    sum += weight * load
    weights += weight
    weeks += 1
  }
  if (weeks > 0) return { load: sum / weights, weeks }
  const days = Array.from({ length: 7 }, (_, day) => known.get(hour - (day + 1) * DAY)).filter(
    (load) => load !== undefined,
  )
  return { load: days.length > 0 ? meanOf(days) : overall, weeks }
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length
