import { Composer, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, Parser } from 'yaml'
import type { CST, Document, Node, ParsedNode, Scalar } from 'yaml'
import type { Place, Position, ProblemList } from './problem.ts'
import { isUsableKey, shorten, TREE_LIMITS } from './tree.ts'
import type { Tree, TreeEntry } from './tree.ts'

/** Thrown inside a reader to leave it at once; the reason is already in the problem list. */
class Refused extends Error {}

const LIMITS_HINT = `At most ${TREE_LIMITS.depth} levels, ${TREE_LIMITS.values} values, ${TREE_LIMITS.entries} of them in one list or mapping, ${TREE_LIMITS.tokens} tokens and ${TREE_LIMITS.aliases} aliases.`
const ROOT: Place = { path: [], at: { line: 1, column: 1 } }

/**
 * Reads YAML 1.2 (and so JSON) into a tree. Undefined when there is nothing to go on with; everything wrong is in
 * `problems`. Time is bounded: the token count and the nesting are checked while the text is cut into tokens, before
 * anything recursive sees it, and an alias counts for all that it stands for.
 */
export function readYamlTree(text: string, problems: ProblemList): Tree | undefined {
  if (text.length > TREE_LIMITS.bytes || Buffer.byteLength(text) > TREE_LIMITS.bytes) {
    problems.add(
      'text_too_large',
      ROOT,
      'The definition is longer than 1 MiB.',
      'Split it into several workflows.',
    )
    return undefined
  }
  try {
    const lines = new LineCounter()
    const document = compose(text, lines, problems)
    if (!document?.contents || !problems.empty) {
      if (problems.empty)
        problems.add('syntax', ROOT, 'The text is empty.', 'Write a workflow with name and steps.')
      return undefined
    }
    return new Walk(document, lines, problems).read(document.contents, [], 0)
  } catch (error) {
    if (error instanceof Refused) return undefined
    // The parser has bugs of its own on hostile text: its exceptions are the text's fault, never the caller's.
    problems.add(
      'syntax',
      ROOT,
      `The text cannot be read as YAML: ${messageOf(error)}`,
      'Check the text with a YAML linter.',
    )
    return undefined
  }
}

function compose(text: string, lines: LineCounter, problems: ProblemList): Document.Parsed | undefined {
  lines.addNewLine(0)
  const composer = new Composer<ParsedNode>({
    version: '1.2',
    schema: 'core',
    uniqueKeys: false,
    prettyErrors: false,
  })
  const documents = [...composer.compose(boundedTokens(text, lines, problems), true, text.length)]
  const [first, second] = documents
  for (const error of [...(first?.errors ?? []), ...(first?.warnings ?? [])].slice(0, 20)) {
    problems.add(
      'syntax',
      { path: [], at: at(lines, error.pos[0]) },
      error.message,
      'Correct the YAML at this place.',
    )
  }
  if (second) {
    const where = at(lines, second.range[0])
    problems.add(
      'syntax',
      { path: [], at: where },
      'The text holds several documents.',
      'One workflow a document: remove the "---".',
    )
  }
  return first
}

function* boundedTokens(text: string, lines: LineCounter, problems: ProblemList): Generator<CST.Token> {
  const parser = new Parser((offset) => lines.addNewLine(offset))
  let lexemes = 0
  for (const lexeme of new Lexer().lex(text)) {
    lexemes += 1
    // `stack` holds the open collections and pairs: the nesting is known before the recursive composer runs.
    const isTooMuch = lexemes > TREE_LIMITS.tokens || parser.stack.length > TREE_LIMITS.depth * 2
    if (isTooMuch || entriesOf(parser.stack.at(-1)) > TREE_LIMITS.entries) {
      const here = { path: [], at: at(lines, parser.offset) }
      problems.add('too_complex', here, 'The text is nested too deeply or holds too much.', LIMITS_HINT)
      throw new Refused()
    }
    yield* parser.next(lexeme)
  }
  yield* parser.end()
}

function entriesOf(token: CST.Token | undefined): number {
  return token && 'items' in token ? token.items.length : 0
}

class Walk {
  readonly #document: Document.Parsed
  readonly #lines: LineCounter
  readonly #problems: ProblemList
  #values = 0
  #aliases = 0

  constructor(document: Document.Parsed, lines: LineCounter, problems: ProblemList) {
    this.#document = document
    this.#lines = lines
    this.#problems = problems
  }

  read(node: unknown, path: readonly string[], depth: number): Tree {
    const place = this.#placeOf(node, path)
    this.#values += 1
    if (this.#values > TREE_LIMITS.values || depth > TREE_LIMITS.depth) this.#refuse(place)
    if (isAlias(node)) {
      this.#aliases += 1
      const target = this.#aliases > TREE_LIMITS.aliases ? undefined : node.resolve(this.#document)
      if (!target) this.#refuse(place)
      return this.read(target, path, depth + 1)
    }
    if (isMap(node)) return { kind: 'map', ...place, entries: this.#entries(node.items, path, depth) }
    if (isSeq(node)) {
      const items = node.items.map((item, index) => this.read(item, [...path, String(index)], depth + 1))
      return { kind: 'list', ...place, items }
    }
    if (isScalar(node))
      return { kind: 'scalar', ...place, value: plainValue(node.value), textAt: this.#textAt(node, place) }
    return { kind: 'scalar', ...place, value: null }
  }

  #entries(
    pairs: readonly { key: unknown; value: unknown }[],
    path: readonly string[],
    depth: number,
  ): TreeEntry[] {
    const seen = new Set<string>()
    const entries: TreeEntry[] = []
    for (const pair of pairs) {
      const place = this.#placeOf(pair.key, path)
      if (!isScalar(pair.key)) {
        this.#problems.add('syntax', place, 'A key must be a plain text.', 'Write it as `name: value`.')
        continue
      }
      const key =
        typeof pair.key.value === 'string' ? pair.key.value : (pair.key.source ?? String(pair.key.value))
      const here = [...path, shorten(key)]
      const keyPlace = { path: here, at: place.at }
      if (!isUsableKey(key, seen, keyPlace, this.#problems)) continue
      const value = this.read(pair.value, here, depth + 1)
      entries.push({ key, keyPlace, value: value.at ? value : { ...value, at: place.at } })
    }
    return entries
  }

  #placeOf(node: unknown, path: readonly string[]): Place {
    const range = isNodeWithRange(node) ? node.range : undefined
    return { path, at: range ? at(this.#lines, range[0]) : undefined }
  }

  /** Where the characters of a text begin, if they stand in the source one by one: then an offset in it is a column. */
  #textAt(node: Scalar, place: Place): Position | undefined {
    if (!place.at || typeof node.value !== 'string' || !node.range) return undefined
    const span = node.range[1] - node.range[0]
    if (node.type === 'PLAIN') return span === node.value.length ? place.at : undefined
    const quoted = node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE'
    return quoted && span === node.value.length + 2
      ? { line: place.at.line, column: place.at.column + 1 }
      : undefined
  }

  #refuse(place: Place): never {
    this.#problems.add(
      'too_complex',
      place,
      'The definition is nested too deeply, or its aliases unfold to too much.',
      LIMITS_HINT,
    )
    throw new Refused()
  }
}

function isNodeWithRange(node: unknown): node is Node & { range: [number, number, number] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)
}

function plainValue(value: unknown): string | number | boolean | null {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  // Only tags outside the core schema make other values, and those are refused before.
  return null
}

function at(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(1, line), column: Math.max(1, col) }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? shorten(error.message) : 'unknown reason'
}
