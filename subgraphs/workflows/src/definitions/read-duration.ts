import type { Fields } from './read-fields.ts'

/** Milliseconds of a second and of a day. */
export const SECOND = 1_000
export const DAY = 86_400 * SECOND

const UNITS: readonly (readonly [string, number])[] = [
  ['w', 7 * DAY],
  ['d', DAY],
  ['h', 3_600 * SECOND],
  ['m', 60 * SECOND],
  ['s', SECOND],
  ['ms', 1],
]
const PLAIN =
  /^(?:(\d+(?:\.\d+)?)w)?(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?$/
const ISO =
  /^P(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$/

/** The texts that are durations, as a pattern. */
export const DURATION_PATTERN = `${PLAIN.source}|${ISO.source}`

/**
 * Milliseconds of a duration written as `1h30m`, `2d`, `500ms` or as ISO 8601 (`PT1H30M`); undefined when it is none.
 * Months and years have no fixed length, so they are none.
 */
export function parseDuration(text: string): number | undefined {
  const written = text.trim()
  if (written.length > 60) return undefined
  const parts = (PLAIN.exec(written) ?? ISO.exec(written))?.slice(1)
  if (!parts?.some((part) => part !== undefined)) return undefined
  const sum = parts.reduce((ms, part, index) => ms + Number(part ?? 0) * (UNITS[index]?.[1] ?? 0), 0)
  return Math.round(sum)
}

/** Whole milliseconds as the text that {@link parseDuration} reads back, as `1h30m`. */
export function formatDuration(ms: number): string {
  let rest = ms
  let text = ''
  for (const [unit, size] of UNITS.slice(1)) {
    const count = Math.floor(rest / size)
    if (count > 0) text += `${count}${unit}`
    rest -= count * size
  }
  return text || '0s'
}

/**
 * Reads a duration in milliseconds from `<key>` (a text with units) or `<key>_seconds` (a number); wrong values are
 * noted. The limits are in milliseconds.
 */
export function readDuration(
  fields: Fields,
  key: string,
  { min, max }: { min: number; max: number },
): number | undefined {
  const inSeconds = `${key}_seconds`
  const both = fields.has(key) && fields.has(inSeconds)
  const seconds = fields.seconds(inSeconds, { min: min / SECOND, max: max / SECOND })
  const text = fields.text(key, `As 90s, 1h30m or PT1H30M; a number stands under ${inSeconds}.`)
  const value = fields.take(key)?.value
  if (both && value)
    fields.problems.add(
      'conflicting_keys',
      value,
      `"${key}" and "${inSeconds}" say the same.`,
      'Write one of them.',
    )
  if (text === undefined || !value) return seconds
  const ms = parseDuration(text)
  if (ms === undefined)
    fields.problems.add(
      'wrong_type',
      value,
      `"${key}" must be a duration, not ${JSON.stringify(text.slice(0, 80))}.`,
      'As 90s, 1h30m, 2d or PT1H30M. Months and years have no fixed length.',
    )
  else if (ms < min || ms > max)
    fields.problems.add(
      'out_of_range',
      value,
      `"${key}" is ${text}.`,
      `From ${formatDuration(min)} to ${formatDuration(max)}.`,
    )
  else return ms
  return undefined
}
