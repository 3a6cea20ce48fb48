/** What stands where something was cut out. */
const REDACTED = '[redacted]'

/** As `$.arguments.customer.email`, `$.arguments.items[*].card` or `$.arguments.items[0]`. */
export const REDACTION_PATH = /^\$(\.[A-Za-z_][\w-]*|\[\*\]|\[\d{1,4}\])+$/

/** A copy of a value without what the paths name; a path that leads nowhere changes nothing. */
export function redact(value: unknown, paths: readonly string[]): unknown {
  return paths.reduce((copy, path) => cut(copy, stepsOf(path)), value)
}

const stepsOf = (path: string): string[] =>
  [...path.matchAll(/\.([\w-]+)|\[(\*|\d+)\]/g)].map(([, a, b]) => a ?? b ?? '')

function cut(value: unknown, [step, ...rest]: readonly string[]): unknown {
  if (step === undefined) return REDACTED
  if (Array.isArray(value))
    return value.map((each, index) => (step === '*' || step === String(index) ? cut(each, rest) : each))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, step === '*' || step === key ? cut(each, rest) : each]),
  )
}
