import type { PlacedExpression, Reading, StepContext } from './draft-step.ts'
import { compileExpression } from '@tutti/runtime/expressions'
import type { Position } from './problem.ts'
import { kindOf } from './tree.ts'
import type { Tree } from './tree.ts'

/** Expressions that one definition may hold. */
export const MOST_EXPRESSIONS = 5_000

/** An expression with the names it reads. */
export type ReadExpression = { readonly text: string; readonly reading: Reading }

/** What an expression is for. */
export type ExpressionUse = {
  readonly wants: PlacedExpression['wants']
  readonly sees?: Reading['sees']
  /** Names that only this expression has. */
  readonly locals?: readonly string[]
}

/** Reads a CEL expression; a leading `=` may stand before it anywhere. What is none is noted. */
export function readExpression(
  tree: Tree,
  { wants, sees = 'before', locals = [] }: ExpressionUse,
  { problems, left }: Pick<StepContext, 'problems' | 'left'>,
): ReadExpression | undefined {
  const noun = wants === 'boolean' ? 'condition' : 'expression'
  const written = textOf(tree, wants)
  if (written === undefined) {
    problems.add(
      'invalid_expression',
      tree,
      `${noun === 'condition' ? 'A condition' : 'An expression'} must be a text, not ${kindOf(tree)}.`,
      wants === 'boolean' ? 'For example quality.confidence > 0.8.' : 'CEL, for example draft.title + "!".',
    )
    return undefined
  }
  left.expressions -= 1
  if (left.expressions < 0) {
    if (left.expressions === -1)
      problems.add(
        'too_complex',
        tree,
        'The definition holds too many expressions.',
        `At most ${MOST_EXPRESSIONS}.`,
      )
    return undefined
  }
  const text = written.replace(/^\s*=?\s*/, '').trimEnd()
  const textAt =
    tree.kind === 'scalar'
      ? shift(tree.textAt, written.length - written.replace(/^\s*=?\s*/, '').length)
      : undefined
  const compiled = compileExpression(text, wants === 'boolean' ? 'boolean' : 'any')
  if (compiled.ok) {
    const names = compiled.expression.variables.filter((name) => !locals.includes(name))
    return { text, reading: { place: tree, names, sees, expression: { text, wants, place: tree, textAt } } }
  }
  problems.add(
    'invalid_expression',
    { path: tree.path, at: shift(textAt, compiled.offset) ?? tree.at },
    `The ${noun} is not valid: ${compiled.message}`,
    compiled.hint,
  )
  return undefined
}

/** Numbers and truth values may be written as they are; a number is no condition. */
function textOf(tree: Tree, wants: ExpressionUse['wants']): string | undefined {
  if (tree.kind !== 'scalar' || tree.value === null) return undefined
  if (typeof tree.value === 'string') return tree.value
  if (typeof tree.value === 'boolean') return String(tree.value)
  return wants === 'boolean' || !isExact(tree.value) ? undefined : String(tree.value)
}

function isExact(value: number): boolean {
  return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
}

/** The position some columns further on. */
export function shift(start: Position | undefined, columns: number): Position | undefined {
  return start && { line: start.line, column: start.column + columns }
}
