import { parseDuration } from '../definitions/read-duration.ts'

/** A number with the unit it is written with; '' without one. */
export interface Quantity {
  amount: number
  unit: string
}

const WRITTEN = /^(-?\d+(?:_\d{3})*(?:\.\d+)?)[ _]?([A-Za-z%$]*)$/

/** Reads `70%`, `100_messages`, `5 seconds`, `2000m`, `4Gi` or `1_000`; undefined when it is none of that kind. */
export function parseQuantity(value: string | number): Quantity | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? { amount: value, unit: '' } : undefined
  const [, amount, unit] = value.length <= 60 ? (WRITTEN.exec(value.trim()) ?? []) : []
  if (amount === undefined || unit === undefined) return undefined
  return { amount: Number(amount.replaceAll('_', '')), unit }
}

const SECONDS: Readonly<Record<string, number>> = {
  ms: 0.001,
  millisecond: 0.001,
  s: 1,
  sec: 1,
  second: 1,
  m: 60,
  min: 60,
  minute: 60,
  h: 3_600,
  hour: 3_600,
  d: 86_400,
  day: 86_400,
  w: 604_800,
  week: 604_800,
}

const BYTES: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1_000,
  kb: 1_000,
  m: 1_000_000,
  mb: 1_000_000,
  g: 1_000_000_000,
  gb: 1_000_000_000,
  t: 1_000_000_000_000,
  tb: 1_000_000_000_000,
  ki: 1_024,
  kib: 1_024,
  mi: 1_048_576,
  mib: 1_048_576,
  gi: 1_073_741_824,
  gib: 1_073_741_824,
  ti: 1_099_511_627_776,
  tib: 1_099_511_627_776,
}

const factorOf = (units: Readonly<Record<string, number>>, unit: string): number | undefined =>
  Object.hasOwn(units, unit) ? units[unit] : undefined

/** A share from 0 to 1: `0.7` or `70%`. */
export function shareOf(value: string | number): number | undefined {
  const quantity = parseQuantity(value)
  if (quantity?.unit === '%') return quantity.amount / 100
  return quantity?.unit === '' ? quantity.amount : undefined
}

/** Of a hundred: `70` or `70%`. */
export function percentOf(value: string | number): number | undefined {
  const quantity = parseQuantity(value)
  return quantity && ['', '%'].includes(quantity.unit) ? quantity.amount : undefined
}

/** How many: `100`, `1_000`, or with the noun of what is counted, `100_messages`. */
export function countOf(value: string | number, nouns: readonly string[]): number | undefined {
  const quantity = parseQuantity(value)
  if (!quantity) return undefined
  const unit = quantity.unit.toLowerCase()
  return unit === '' || nouns.some((noun) => unit === noun || `${unit}s` === noun)
    ? quantity.amount
    : undefined
}

/** US dollars: `50`, `50 USD` or `50$`. */
export function dollarsOf(value: string | number): number | undefined {
  const quantity = parseQuantity(value)
  return quantity && ['', '$', 'usd'].includes(quantity.unit.toLowerCase()) ? quantity.amount : undefined
}

/** Seconds of a duration with its unit (`30s`, `5_seconds`, `1h30m`, `PT5M`), or of a bare number of `bare` seconds. */
export function secondsOf(value: string | number, bare: number): number | undefined {
  const quantity = parseQuantity(value)
  if (quantity?.unit === '') return quantity.amount * bare
  if (quantity) {
    const unit = quantity.unit.toLowerCase()
    const factor = factorOf(SECONDS, unit) ?? factorOf(SECONDS, unit.replace(/s$/, ''))
    if (factor !== undefined) return quantity.amount * factor
  }
  const ms = typeof value === 'string' ? parseDuration(value) : undefined
  return ms === undefined ? undefined : ms / 1_000
}

/** Processor cores: `2`, `0.5`, or thousandths, `2000m`. */
export function coresOf(value: string | number): number | undefined {
  const quantity = parseQuantity(value)
  if (quantity?.unit === 'm') return quantity.amount / 1_000
  return quantity?.unit === '' ? quantity.amount : undefined
}

/** Bytes: `4Gi`, `512MB`, `1_000`. `Ki`, `Mi`, `Gi`, `Ti` count in 1,024s. */
export function bytesOf(value: string | number): number | undefined {
  const quantity = parseQuantity(value)
  const factor = quantity && factorOf(BYTES, quantity.unit.toLowerCase())
  return quantity && factor !== undefined ? quantity.amount * factor : undefined
}
