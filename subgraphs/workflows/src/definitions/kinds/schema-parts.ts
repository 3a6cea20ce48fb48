import type { JsonSchema } from '../definition.ts'

type Part = Readonly<Record<string, unknown>>

const NAME = '^[A-Za-z_][A-Za-z0-9_]{0,63}$'
const STEP = '^[A-Za-z_][A-Za-z0-9_-]{0,63}$'

/** A text that is not empty. */
export function text(description: string): Part {
  return { type: 'string', minLength: 1, maxLength: 4_000, description }
}

/** The name of a value: letters, digits and underscores. */
export function valueName(description: string): Part {
  return { type: 'string', pattern: NAME, description }
}

/** The name of a step. */
export function stepName(description: string): Part {
  return { type: 'string', pattern: STEP, description }
}

/** A CEL expression. */
export function expression(description: string): Part {
  return { type: ['string', 'boolean', 'number'], description }
}

/** A CEL expression with a boolean result. */
export function condition(description: string): Part {
  return { type: ['string', 'boolean'], description }
}

/** `<key>` as a text with units and `<key>_seconds` as a number. */
export function duration(key: string, description: string): Readonly<Record<string, JsonSchema>> {
  return {
    [key]: { $ref: '#/$defs/duration', description },
    [`${key}_seconds`]: { type: 'number', minimum: 0, description: `${description} In seconds.` },
  }
}

/** A whole number. */
export function count(minimum: number, maximum: number, description: string): Part {
  return { type: 'integer', minimum, maximum, description }
}

/** A list of texts, or one text. */
export function names(description: string): Part {
  const name = { type: 'string', pattern: '^\\S', maxLength: 200 }
  return { description, anyOf: [name, { type: 'array', maxItems: 100, items: name }] }
}

/** One of several words. */
export function oneOf(words: readonly string[], description: string): Part {
  return { enum: words, description }
}

/** Something defined once. */
export function ref(name: string, description?: string): Part {
  return { $ref: `#/$defs/${name}`, ...(description === undefined ? {} : { description }) }
}

/** A mapping that knows these keys and no others. */
export function mapping(
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[] = [],
  rules: Part = {},
): Part {
  return {
    type: 'object',
    properties,
    additionalProperties: false,
    ...(required.length > 0 ? { required } : {}),
    ...rules,
  }
}
