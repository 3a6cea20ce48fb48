/** What CEL computed, as plain JSON; or why it is none. */
export type JsonOutcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly message: string }

const LARGEST = 2 * 1_048_576
const DEEPEST = 100

class NotJson extends Error {}

/**
 * The result of an expression as plain JSON, a copy: CEL's whole numbers become numbers, timestamps ISO 8601 texts,
 * durations texts as `90s`. Refused: bytes, types, numbers that JSON cannot hold exactly, what is nested deeper than 100
 * and what is larger than 2 MiB (each value counts as 8 bytes, each character as 1).
 */
export function celToJson(value: unknown): JsonOutcome {
  try {
    return { ok: true, value: new Copy().of(value, 0) }
  } catch (error) {
    if (error instanceof NotJson) return { ok: false, message: error.message }
    throw error
  }
}

class Copy {
  #size = 0

  of(value: unknown, depth: number): unknown {
    this.#count(8)
    if (depth > DEEPEST) throw new NotJson(`The result is nested deeper than ${DEEPEST}.`)
    if (value === null || value === undefined) return null
    if (typeof value === 'string') return this.#text(value)
    if (typeof value === 'boolean') return value
    if (typeof value === 'number') return number(value)
    if (typeof value === 'bigint') return number(value)
    if (Array.isArray(value)) return value.map((item) => this.of(item, depth + 1))
    if (value instanceof Date) return timestamp(value)
    if (value instanceof Uint8Array) throw new NotJson('The result holds bytes, which JSON cannot.')
    if (value instanceof Set) return [...value].map((item) => this.of(item, depth + 1))
    if (value instanceof Map) return this.#entries([...value], depth)
    if (typeof value === 'object') return this.#object(value, depth)
    throw new NotJson(`The result holds a ${typeof value}, which JSON cannot.`)
  }

  #object(value: object, depth: number): unknown {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype === Object.prototype || prototype === null)
      return this.#entries(Object.entries(value), depth)
    // cel-js keeps unsigned numbers and durations in classes of its own; both know themselves as a primitive.
    if ('nanos' in value) return String(value)
    const primitive: unknown = value.valueOf()
    if (typeof primitive === 'bigint') return number(primitive)
    throw new NotJson('The result holds a type, which JSON cannot.')
  }

  #entries(entries: readonly (readonly [unknown, unknown])[], depth: number): unknown {
    return Object.fromEntries(
      entries.map(([key, value]) => [this.#text(String(key)), this.of(value, depth + 1)]),
    )
  }

  #text(text: string): string {
    this.#count(text.length)
    return text
  }

  #count(bytes: number): void {
    this.#size += bytes
    if (this.#size > LARGEST) throw new NotJson('The result is larger than 2 MiB.')
  }
}

function number(value: number | bigint): number {
  const plain = Number(value)
  if (typeof value === 'bigint' && !Number.isSafeInteger(plain))
    throw new NotJson(`${value} is larger than JSON's numbers hold exactly.`)
  if (!Number.isFinite(plain)) throw new NotJson(`${plain} is not a number in JSON.`)
  return plain
}

function timestamp(value: Date): string {
  if (Number.isNaN(value.getTime())) throw new NotJson('The result is not a valid time.')
  return value.toISOString()
}
