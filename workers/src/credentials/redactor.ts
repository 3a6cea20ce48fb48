const REDACTED = '[redacted]'

/** Cuts secrets out of what others say, before anything of it is kept. */
export interface Redactor {
  /** From now on this value is cut out. */
  conceal(value: string): void
  text(text: string): string
  /** A copy of JSON without them, keys too; the same object when there is nothing to cut. */
  json(value: unknown): unknown
}

/**
 * One that knows no secret yet. A value is found as it is, percent-encoded, as hex, and as base64 wherever it begins in
 * what was encoded; what is cut up, or encoded otherwise, is not.
 */
export function createRedactor(): Redactor {
  let forms: string[] = []
  const text = (given: string): string =>
    forms.reduce((left, form) => (left.includes(form) ? left.replaceAll(form, REDACTED) : left), given)

  function json(value: unknown): unknown {
    if (typeof value === 'string') return text(value)
    if (Array.isArray(value)) return value.map(json)
    if (typeof value !== 'object' || value === null || value instanceof Date) return value
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [text(key), json(inner)]))
  }

  return {
    conceal(value) {
      const all = new Set([...forms, ...formsOf(value)])
      // The longest first: a part of one may be another.
      forms = [...all].sort((a, b) => b.length - a.length)
    },
    text,
    json: (value) => (forms.length === 0 ? value : json(value)),
  }
}

function formsOf(value: string): string[] {
  const hex = Buffer.from(value).toString('hex')
  const based = [0, 1, 2].flatMap((offset) => base64At(value, offset))
  const quoted = JSON.stringify(value).slice(1, -1)
  return [value, quoted, encodeURIComponent(value), hex, hex.toUpperCase(), ...based]
}

/** What stands in base64 for a value that begins `offset` bytes after a group of three: all its characters that are sure. */
function base64At(value: string, offset: number): string[] {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)])
  const from = Math.ceil((offset * 8) / 6)
  const to = Math.floor((bytes.length * 8) / 6)
  const plain = bytes.toString('base64').slice(from, to)
  return [plain, plain.replaceAll('+', '-').replaceAll('/', '_')]
}
