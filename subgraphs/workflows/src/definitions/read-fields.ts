import { suggestName } from '@tutti/runtime'
import type { DefinitionProblemCode, Place, ProblemList } from './problem.ts'
import { kindOf, shorten } from './tree.ts'
import type { Tree, TreeEntry } from './tree.ts'

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/
const STEP_NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/
const LONGEST_TEXT = 4_000
// Words CEL keeps for itself: a value so named could never be used in a condition.
const RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)

/** A reference to a step, with the place it is written at. */
export type StepReference = { readonly name: string; readonly place: Place }

/** Reads the keys of one mapping, noting what is wrong; what was never asked for is an unknown key. */
export class Fields {
  readonly place: Place
  readonly #entries = new Map<string, TreeEntry>()
  readonly #asked = new Set<string>()
  readonly #problems: ProblemList

  constructor(tree: Tree & { kind: 'map' }, place: Place, problems: ProblemList) {
    this.place = place
    this.#problems = problems
    for (const entry of tree.entries) this.#entries.set(entry.key, entry)
  }

  /** Whether the key is written, without asking for it. */
  has(key: string): boolean {
    return this.#entries.has(key)
  }

  /** The entry under a key. */
  take(key: string): TreeEntry | undefined {
    this.#asked.add(key)
    return this.#entries.get(key)
  }

  /** A text that is not empty; absent keys and wrong values are undefined, the latter noted. */
  text(key: string): string | undefined {
    const entry = this.take(key)
    if (!entry) return undefined
    const { value } = entry
    if (value.kind !== 'scalar' || typeof value.value !== 'string' || value.value.trim() === '') {
      this.#wrong(
        'wrong_type',
        value,
        `"${key}" must be a text, not ${kindOf(value)}.`,
        'Put the text after the colon, in quotes if in doubt.',
      )
      return undefined
    }
    if (value.value.length > LONGEST_TEXT) {
      this.#wrong('out_of_range', value, `"${key}" is longer than ${LONGEST_TEXT} characters.`, 'Shorten it.')
      return undefined
    }
    return value.value
  }

  /** A number within limits; whole unless `fraction`. */
  number(
    key: string,
    { min, max, fraction = false }: { min: number; max: number; fraction?: boolean },
  ): number | undefined {
    const entry = this.take(key)
    if (!entry) return undefined
    const { value } = entry
    if (value.kind !== 'scalar' || typeof value.value !== 'number' || Number.isNaN(value.value)) {
      this.#wrong(
        'wrong_type',
        value,
        `"${key}" must be a number, not ${kindOf(value)}.`,
        `Write a number from ${min} to ${max}.`,
      )
      return undefined
    }
    if (value.value < min || value.value > max || (!fraction && !Number.isInteger(value.value))) {
      this.#wrong(
        'out_of_range',
        value,
        `"${key}" is ${value.value}.`,
        `Write a ${fraction ? '' : 'whole '}number from ${min} to ${max}.`,
      )
      return undefined
    }
    return value.value
  }

  /** Seconds as milliseconds. */
  seconds(key: string, limits: { min: number; max: number }): number | undefined {
    const seconds = this.number(key, { ...limits, fraction: true })
    return seconds === undefined ? undefined : Math.round(seconds * 1_000)
  }

  /** A name that conditions can use: letters, digits and underscores. */
  identifier(key: string): string | undefined {
    const text = this.text(key)
    const value = this.#entries.get(key)?.value
    return text !== undefined && value && isIdentifier(text, value, this.#problems) ? text : undefined
  }

  /** The step a key names. */
  reference(key: string): StepReference | undefined {
    const name = this.text(key)
    const place = this.#entries.get(key)?.value
    return name === undefined || !place ? undefined : { name, place }
  }

  /** Notes that a key that must be there is not. */
  missing(key: string, code: DefinitionProblemCode, hint: string): void {
    if (!this.has(key)) this.#wrong(code, this.place, `"${key}" is missing.`, hint)
  }

  /** Notes every key that nothing asked for. */
  refuseOthers(): void {
    for (const [key, entry] of this.#entries) {
      if (this.#asked.has(key)) continue
      const known = suggestName(key, this.#asked)
      const hint = known ? `Did you mean "${known}"?` : `Known here: ${[...this.#asked].join(', ')}.`
      this.#wrong('unknown_key', entry.keyPlace, `The key "${shorten(key)}" is not known here.`, hint)
    }
  }

  #wrong(code: DefinitionProblemCode, place: Place, message: string, hint: string): void {
    this.#problems.add(code, place, message, hint)
  }
}

/** Whether a text can name a value (output, payload, parameter); notes it if not. */
export function isIdentifier(text: string, place: Place, problems: ProblemList): boolean {
  if (IDENTIFIER.test(text) && !RESERVED.has(text) && text !== 'constructor' && text !== '__proto__')
    return true
  const hint =
    'Letters, digits and underscores, 64 at most, no digit first, no word of the expression language.'
  problems.add('invalid_name', place, `"${shorten(text)}" cannot name a value.`, hint)
  return false
}

/** Whether a text can name a step; notes it if not. */
export function isStepName(text: string, place: Place, problems: ProblemList): boolean {
  if (STEP_NAME.test(text) && text !== 'constructor' && text !== '__proto__') return true
  problems.add(
    'invalid_name',
    place,
    `"${shorten(text)}" cannot name a step.`,
    'Letters, digits, underscores and hyphens, 64 at most, a letter first.',
  )
  return false
}
