import type { Place, Position, ProblemList } from './problem.ts'

/** A value with the place it was written at: what both YAML text and plain objects become before they are read. */
export type Tree =
  | (Place & {
      readonly kind: 'scalar'
      readonly value: string | number | boolean | null
      /** Where the first character of a text stands, when the source holds it character by character. */
      readonly textAt?: Position | undefined
    })
  | (Place & { readonly kind: 'list'; readonly items: readonly Tree[] })
  | (Place & { readonly kind: 'map'; readonly entries: readonly TreeEntry[] })

/** One key of a mapping. */
export type TreeEntry = { readonly key: string; readonly keyPlace: Place; readonly value: Tree }

/**
 * Limits of one definition: bytes of text, levels of nesting, values (an alias counts for all it stands for), entries of
 * one list or mapping, aliases, and the tokens of a text, spaces and comments among them.
 */
export const TREE_LIMITS = {
  bytes: 1_048_576,
  depth: 64,
  values: 100_000,
  entries: 2_500,
  aliases: 100,
  tokens: 450_000,
} as const

const UNSAFE_KEYS = new Set(['__proto__', 'constructor', 'prototype'])

/** Notes a key that could reach an object's prototype, or that its mapping already has; true when the key may stay. */
export function isUsableKey(key: string, seen: Set<string>, place: Place, problems: ProblemList): boolean {
  if (UNSAFE_KEYS.has(key)) {
    problems.add('unsafe_key', place, `The key "${key}" is not allowed.`, 'Choose another name.')
    return false
  }
  if (seen.has(key)) {
    problems.add(
      'duplicate_key',
      place,
      `The key "${shorten(key)}" stands here twice.`,
      'Remove or rename one of them.',
    )
    return false
  }
  seen.add(key)
  return true
}

/** The plain JSON value a tree stands for. */
export function plainOf(tree: Tree): unknown {
  if (tree.kind === 'scalar') return tree.value
  if (tree.kind === 'list') return tree.items.map(plainOf)
  return Object.fromEntries(tree.entries.map(({ key, value }) => [key, plainOf(value)]))
}

/** Cuts a text taken from a definition so that a message stays readable. */
export function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

/** What a tree is, in an author's words. */
export function kindOf(tree: Tree): string {
  if (tree.kind === 'list') return 'a list'
  if (tree.kind === 'map') return 'a mapping'
  return tree.value === null ? 'nothing' : `the ${typeof tree.value} ${shorten(JSON.stringify(tree.value))}`
}
