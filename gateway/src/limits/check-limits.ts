import { type DocumentNode, type FragmentDefinitionNode, Kind, type SelectionSetNode, visit } from 'graphql'

/** Static bounds of one document, checked before validation and planning spend anything on it. */
export interface Limits {
  /** Bytes of the body of a caller we know (files of agents come in variables), and of anybody else's. */
  bodyBytes: number
  anonymousBytes: number
  /** Bytes of one WebSocket message. */
  messageBytes: number
  /** Characters of the document itself. */
  queryCharacters: number
  tokens: number
  /** Nesting of fields, fragments expanded; introspection is not counted. */
  depth: number
  aliases: number
  /** Fields of the root type, fragments expanded. */
  rootFields: number
  /** Fields in all, fragments expanded: what a few tokens can blow up. */
  fields: number
  directives: number
}

export const DEFAULT_LIMITS: Limits = {
  bodyBytes: 12 * 1024 * 1024,
  anonymousBytes: 512 * 1024,
  messageBytes: 256 * 1024,
  queryCharacters: 64 * 1024,
  tokens: 4_000,
  depth: 15,
  aliases: 60,
  rootFields: 20,
  fields: 5_000,
  directives: 50,
}

const FORBIDDEN_NAMES = new Set(['__proto__', 'constructor', 'prototype'])

interface Size {
  fields: number
  depth: number
  aliases: number
  width: number
}

/** What the document exceeds, in words; null when it is within the limits. */
export function exceededLimit(document: DocumentNode, limits: Limits): string | null {
  let forbidden: string | null = null
  let directives = 0
  visit(document, {
    Name: (node) => {
      if (FORBIDDEN_NAMES.has(node.value)) forbidden = node.value
    },
    Directive: () => {
      directives += 1
    },
  })
  if (forbidden !== null) return `The name ${forbidden} is not allowed.`
  if (directives > limits.directives) return 'It has too many directives.'

  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
  }
  const measured = new Map<string, Size>()
  const measure = (set: SelectionSetNode): Size => {
    const sum: Size = { fields: 0, depth: 0, aliases: 0, width: 0 }
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        const introspection = selection.name.value.startsWith('__')
        const below = selection.selectionSet === undefined ? null : measure(selection.selectionSet)
        sum.width += 1
        sum.fields += 1 + (below?.fields ?? 0)
        sum.aliases += (selection.alias === undefined ? 0 : 1) + (below?.aliases ?? 0)
        sum.depth = Math.max(sum.depth, introspection ? 1 : 1 + (below?.depth ?? 0))
      } else {
        const size =
          selection.kind === Kind.INLINE_FRAGMENT
            ? measure(selection.selectionSet)
            : measureSpread(selection.name.value)
        sum.fields += size.fields
        sum.aliases += size.aliases
        sum.width += size.width
        sum.depth = Math.max(sum.depth, size.depth)
      }
    }
    return sum
  }
  const measureSpread = (name: string): Size => {
    const known = measured.get(name)
    if (known !== undefined) return known
    // A cycle measures as nothing here, and validation refuses it.
    measured.set(name, { fields: 0, depth: 0, aliases: 0, width: 0 })
    const fragment = fragments.get(name)
    const size =
      fragment === undefined ? { fields: 0, depth: 0, aliases: 0, width: 0 } : measure(fragment.selectionSet)
    measured.set(name, size)
    return size
  }

  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION && definition.kind !== Kind.FRAGMENT_DEFINITION)
      continue
    const size = measure(definition.selectionSet)
    if (size.depth > limits.depth) return 'It is nested too deeply.'
    if (size.aliases > limits.aliases) return 'It has too many aliases.'
    if (size.fields > limits.fields) return 'It selects too many fields.'
    if (definition.kind === Kind.OPERATION_DEFINITION && size.width > limits.rootFields) {
      return 'It has too many root fields.'
    }
  }
  return null
}
