import { suggestName } from '@tutti/runtime'
import type { DefinitionProblemCode, Place, ProblemList } from './problem.ts'
import { kindOf, shorten, TREE_LIMITS } from './tree.ts'
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
  readonly problems: ProblemList
  readonly #entries = new Map<string, TreeEntry>()
  readonly #asked = new Set<string>()

  constructor(tree: Tree & { kind: 'map' }, place: Place, problems: ProblemList) {
    this.place = place
    this.problems = problems
    for (const entry of tree.entries) this.#entries.set(entry.key, entry)
  }

  /** Whether the key is written, without asking for it. */
  has(key: string): boolean {
    return this.#entries.has(key)
  }

  /** What kind of value a key has, without asking for it. */
  valueKind(key: string): Tree['kind'] | undefined {
    return this.#entries.get(key)?.value.kind
  }

  /** Whether an empty list is written under the key. */
  isEmptyList(key: string): boolean {
    const value = this.take(key)?.value
    return value?.kind === 'list' && value.items.length === 0
  }

  /** The entry under a key. */
  take(key: string): TreeEntry | undefined {
    this.#asked.add(key)
    return this.#entries.get(key)
  }

  /** A text that is not empty; absent keys and wrong values are undefined, the latter noted. */
  text(
    key: string,
    hint = 'Put the text after the colon, in quotes if in doubt.',
    most = LONGEST_TEXT,
  ): string | undefined {
    const entry = this.take(key)
    if (!entry) return undefined
    const { value } = entry
    if (value.kind !== 'scalar' || typeof value.value !== 'string' || value.value.trim() === '') {
      this.#wrong('wrong_type', value, `"${key}" must be a text, not ${kindOf(value)}.`, hint)
      return undefined
    }
    if (value.value.length > most) {
      this.#wrong('out_of_range', value, `"${key}" is longer than ${most} characters.`, 'Shorten it.')
      return undefined
    }
    return value.value
  }

  /** What people read, as long as the definition may be. */
  description(): string | undefined {
    return this.text('description', undefined, TREE_LIMITS.bytes)
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

  /** True or false. */
  flag(key: string): boolean | undefined {
    const entry = this.take(key)
    if (!entry) return undefined
    const { value } = entry
    if (value.kind === 'scalar' && typeof value.value === 'boolean') return value.value
    this.#wrong(
      'wrong_type',
      value,
      `"${key}" must be true or false, not ${kindOf(value)}.`,
      'Write true or false.',
    )
    return undefined
  }

  /** One of several words. */
  choice<Word extends string>(key: string, words: readonly Word[]): Word | undefined {
    const hint = `Write ${words.join(' or ')}.`
    const text = this.text(key, hint)
    const word = words.find((candidate) => candidate === text)
    const value = this.#entries.get(key)?.value
    if (text !== undefined && word === undefined && value)
      this.#wrong('wrong_type', value, `"${key}" is ${JSON.stringify(shorten(text))}.`, hint)
    return word
  }

  /** A list of texts, or one text. */
  texts(key: string, most = 100): readonly string[] | undefined {
    const entry = this.take(key)
    if (!entry) return undefined
    const { value } = entry
    const items = value.kind === 'list' ? value.items : [value]
    if (items.length > most) {
      this.#wrong('too_complex', value, `"${key}" has ${items.length} entries.`, `At most ${most}.`)
      return undefined
    }
    return items.flatMap((item) => {
      if (item.kind === 'scalar' && typeof item.value === 'string' && /^\S.{0,199}$/s.test(item.value))
        return [item.value]
      this.#wrong(
        'wrong_type',
        item,
        `"${key}" holds ${kindOf(item)}.`,
        'List texts of 200 characters at most.',
      )
      return []
    })
  }

  /** The mapping under a key, as fields of its own. */
  mapping(key: string, hint: string): Fields | undefined {
    const entry = this.take(key)
    if (!entry) return undefined
    if (entry.value.kind === 'map') return new Fields(entry.value, entry.value, this.problems)
    this.#wrong('wrong_type', entry.value, `"${key}" must be a mapping, not ${kindOf(entry.value)}.`, hint)
    return undefined
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
    return text !== undefined && value && isIdentifier(text, value, this.problems) ? text : undefined
  }

  /** The step a key names. */
  reference(key: string, hint?: string): StepReference | undefined {
    const name = this.text(key, hint)
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
      if (this.#asked.has(key) || this.problems.full) continue
      const known = suggestName(key, this.#asked)
      const hint = known ? `Did you mean "${known}"?` : `Known here: ${[...this.#asked].join(', ')}.`
      this.#wrong('unknown_key', entry.keyPlace, `The key "${shorten(key)}" is not known here.`, hint)
    }
  }

  /** Where a key's value stands; the mapping itself when it is not written. */
  placeOf(key: string): Place {
    return this.#entries.get(key)?.value ?? this.place
  }

  #wrong(code: DefinitionProblemCode, place: Place, message: string, hint: string): void {
    this.problems.add(code, place, message, hint)
  }
}

/** Whether a text can name a value (output, payload, parameter). */
export const isValueName = (text: string): boolean =>
  IDENTIFIER.test(text) && !RESERVED.has(text) && text !== 'constructor' && text !== '__proto__'

/** Whether a text can name a value; notes it if not. */
export function isIdentifier(text: string, place: Place, problems: ProblemList): boolean {
  if (isValueName(text)) return true
  const hint =
    'Letters, digits and underscores, 64 at most, no digit first, no word of the expression language.'
  problems.add('invalid_name', place, `"${shorten(text)}" cannot name a value.`, hint)
  return false
}

/** Whether a text can name a step (or a branch, whose name stands in paths too); notes it if not. */
export function isStepName(text: string, place: Place, problems: ProblemList, what = 'step'): boolean {
  if (STEP_NAME.test(text) && text !== 'constructor' && text !== '__proto__') return true
  problems.add(
    'invalid_name',
    place,
    `"${shorten(text)}" cannot name a ${what}.`,
    'Letters, digits, underscores and hyphens, 64 at most, a letter first.',
  )
  return false
}
