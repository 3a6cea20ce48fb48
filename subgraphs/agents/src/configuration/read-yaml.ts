import type { Problem } from '@tutti/schema'
import {
  Composer,
  type CST,
  type Document,
  isMap,
  isNode,
  isScalar,
  Lexer,
  LineCounter,
  type ParsedNode,
  Parser,
} from 'yaml'

/** Limits of one document: bytes of text, levels, values (an alias counts for all it stands for), tokens. */
export const YAML_LIMITS = { bytes: 1_048_576, depth: 32, values: 50_000, tokens: 150_000 } as const

/** Where something stands in the text, counted from 1; empty when it cannot be told. */
export type Position = { line?: number; column?: number }

/** A document that could be read: plain data, and where each part of it stands. */
export interface YamlText {
  value: unknown
  /** Position of a value, or of a key with `ofKey`; of the nearest part above when there is none of its own. */
  locate(path: readonly PropertyKey[], ofKey?: boolean): Position
}

type Composed = Document.Parsed<ParsedNode>

/**
 * Reads YAML 1.2, and so JSON, within bounded time: nesting and tokens are counted while the text is cut up, before
 * anything recursive sees it. Answers with the problems instead when it is not one well-formed document.
 */
export function readYaml(text: string): YamlText | { problems: Problem[] } {
  if (text.length > YAML_LIMITS.bytes || Buffer.byteLength(text) > YAML_LIMITS.bytes) {
    return { problems: [{ code: 'text_too_large', path: '', message: 'The document is longer than 1 MiB.' }] }
  }
  const lines = new LineCounter()
  try {
    lines.addNewLine(0)
    const composer = new Composer<ParsedNode>({ version: '1.2', schema: 'core', prettyErrors: false })
    const [document, second] = [...composer.compose(boundedTokens(text, lines), true, text.length)]
    const wrong = [...(document?.errors ?? []), ...(document?.warnings ?? [])].slice(0, 20)
    if (wrong.length > 0)
      return { problems: wrong.map((error) => syntax(error.message, at(lines, error.pos[0]))) }
    if (second) {
      return {
        problems: [
          syntax('The text holds several documents; one agent a document.', at(lines, second.range[0])),
        ],
      }
    }
    if (!document?.contents) return { problems: [syntax('The document is empty.', { line: 1, column: 1 })] }
    return {
      value: document.toJS({ maxAliasCount: 100 }),
      locate: (path, ofKey = false) => locate(document, lines, path, ofKey),
    }
  } catch (error) {
    // The parser has bugs of its own on hostile text: its exceptions are the text's fault, never the caller's.
    return {
      problems: [syntax(error instanceof Error ? error.message.slice(0, 300) : 'It cannot be read.', {})],
    }
  }
}

function* boundedTokens(text: string, lines: LineCounter): Generator<CST.Token> {
  const parser = new Parser((offset) => lines.addNewLine(offset))
  let lexemes = 0
  for (const lexeme of new Lexer().lex(text)) {
    lexemes += 1
    // `stack` holds the open collections and pairs: the nesting is known before the recursive composer runs.
    if (lexemes > YAML_LIMITS.tokens || parser.stack.length > YAML_LIMITS.depth * 2) {
      throw new Error('The document is nested too deeply or holds too much.')
    }
    yield* parser.next(lexeme)
  }
  yield* parser.end()
}

function locate(
  document: Composed,
  lines: LineCounter,
  path: readonly PropertyKey[],
  ofKey: boolean,
): Position {
  const parent = ofKey ? nodeAt(document, path.slice(0, -1)) : undefined
  if (isMap(parent)) {
    const name = String(path.at(-1))
    const pair = parent.items.find((each) => isScalar(each.key) && String(each.key.value) === name)
    if (isScalar(pair?.key) && pair.key.range) return at(lines, pair.key.range[0])
  }
  for (let length = path.length; length >= 0; length -= 1) {
    const node = nodeAt(document, path.slice(0, length))
    if (isNode(node) && node.range) return at(lines, node.range[0])
  }
  return {}
}

const nodeAt = (document: Composed, path: readonly PropertyKey[]): unknown =>
  path.length === 0 ? document.contents : document.getIn(path, true)

function at(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset)
  return { line, column: col }
}

const syntax = (message: string, position: Position): Problem => ({
  code: 'syntax',
  path: '',
  message,
  ...position,
})
