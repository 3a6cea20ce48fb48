import { Environment, EvaluationError, ParseError } from '@marcbachmann/cel-js'
import type { ASTNode } from '@marcbachmann/cel-js'
import { celToJson } from './cel-to-json.ts'
import type { JsonOutcome } from './cel-to-json.ts'
import { countSteps } from './count-steps.ts'
import { MOST_STEPS, type StepBudget, Steps } from './steps.ts'

/** A CEL expression parsed once. */
export type CompiledExpression = {
  readonly text: string
  /** The names it reads. */
  readonly variables: readonly string[]
  /** Plain JSON, of the wanted kind. Never throws: an error of evaluation is an outcome, and so are too many steps. */
  evaluate(names: Readonly<Record<string, unknown>>): ExpressionOutcome
}

/** A CEL expression as it was found in its text. */
export type ReadExpression = CompiledExpression & {
  /** What it reads of its names, by fields that are written out. */
  readonly paths: readonly ExpressionPath[]
  /** The functions and macros that it calls. */
  readonly calls: ReadonlySet<string>
  /** Fields that must be equal to a text for the whole to be true: `a.b == "c" && …`. */
  readonly equalities: readonly ExpressionEquality[]
  /**
   * As `evaluate`, for names of which the caller knows that all are there: nothing is copied. A boolean, or what is wrong.
   * `budget`: where several are evaluated for one thing.
   */
  test(names: Readonly<Record<string, unknown>>, budget?: StepBudget): boolean | { readonly message: string }
}

/** A name and the fields read of it, as `context.arguments.amount`; `offset` counts characters of the text from 0. */
export type ExpressionPath = { readonly names: readonly string[]; readonly offset: number }

/** A field, by the names that lead to it, and the text that it must be equal to. */
export type ExpressionEquality = { readonly names: readonly string[]; readonly value: string }

/** What became of an expression. */
export type ExpressionOutcome = JsonOutcome

/** A parsed expression, or why it is none; `offset` counts characters of the text from 0. */
export type ExpressionResult = { readonly ok: true; readonly expression: ReadExpression } | NoExpression

/** Why a text is no expression; `offset` counts its characters from 0. */
export type NoExpression = {
  readonly ok: false
  readonly message: string
  readonly offset: number
  readonly hint: string
}

const LONGEST = 2_000
const COMPREHENSIONS = new Set(['all', 'exists', 'exists_one', 'map', 'filter', 'bind'])
const NOT_JSON = new Set(['bytes', 'type'])
const TYPE_NAMES = new Set([
  'int',
  'uint',
  'double',
  'bool',
  'string',
  'bytes',
  'list',
  'map',
  'null_type',
  'type',
  'cel',
  'optional',
])
const WANTED = {
  boolean: 'Conditions are CEL: quality.confidence > 0.8 && intent != "spam".',
  any: 'Expressions are CEL: {"title": draft.title, "words": size(draft.words)}.',
}

const environment = new Environment({
  unlistedVariablesAreDyn: true,
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: 500, maxDepth: 50, maxListElements: 200, maxMapEntries: 200 },
})
// JSON knows one kind of number, which CEL sees as double: without these `score + 1` would be an error.
const arithmetic: readonly (readonly [string, (a: number, b: number) => number])[] = [
  ['+', (a, b) => a + b],
  ['-', (a, b) => a - b],
  ['*', (a, b) => a * b],
  ['/', (a, b) => a / b],
  ['%', (a, b) => a % b],
]
for (const [operator, apply] of arithmetic) {
  environment.registerOperator(`double ${operator} int: double`, (a: number, b: bigint) =>
    apply(a, Number(b)),
  )
  environment.registerOperator(`int ${operator} double: double`, (a: bigint, b: number) =>
    apply(Number(a), b),
  )
}
environment.registerOperator('double % double: double', (a: number, b: number) => a % b)

const OUT_OF_STEPS = {
  ok: false,
  message: `It would take more than ${MOST_STEPS} steps: too much to go through or to compare.`,
} as const

/**
 * Parses a CEL expression whose result is a boolean or, by default, any JSON value. Refused besides wrong syntax: a
 * result that cannot be what is wanted, `matches` (a hostile pattern would hold the engine's thread for minutes) and a
 * comprehension inside another (squares the work over a list). What an evaluation may do is bounded besides, by steps that
 * are counted and never timed: one that would take more than MOST_STEPS is none.
 */
export function compileExpression(text: string, want: 'boolean' | 'any' = 'any'): ExpressionResult {
  if (text.length > LONGEST)
    return refuse(
      `The expression is longer than ${LONGEST} characters.`,
      0,
      'Let a step compute a value and use that.',
    )
  try {
    const program = environment.parse(text)
    const scan = new Scan()
    scan.visit(program.ast, new Set(), false)
    if (scan.refusal) return scan.refusal
    const { valid, type, error } = program.check()
    if (!valid)
      return refuse(firstLine(error?.message), error?.range?.start ?? 0, 'Compare values of one type.')
    if (want === 'boolean' && type !== 'bool' && type !== 'dyn')
      return refuse(
        `The result is ${type}, not a boolean.`,
        0,
        'Write a comparison, as quality.confidence > 0.8.',
      )
    if (type !== undefined && NOT_JSON.has(type))
      return refuse(`The result is ${type}, which JSON cannot hold.`, 0, 'Convert it, as string(value).')
    const variables = [...scan.variables]
    const steps = new Steps()
    countSteps(program.ast, steps)
    const evaluate = (names: Readonly<Record<string, unknown>>) => run(program, steps, variables, names, want)
    const { paths, calls } = scan
    const equalities = [...equalitiesOf(program.ast)]
    const test: ReadExpression['test'] = (names, budget) => decide(program, steps, names, budget)
    return { ok: true, expression: { text, variables, paths, calls, equalities, evaluate, test } }
  } catch (error) {
    const offset =
      error instanceof ParseError || error instanceof EvaluationError ? (error.range?.start ?? 0) : 0
    return refuse(firstLine(error instanceof Error ? error.message : undefined), offset, WANTED[want])
  }
}

function run(
  program: (context: Record<string, unknown>) => unknown,
  steps: Steps,
  variables: readonly string[],
  names: Readonly<Record<string, unknown>>,
  want: 'boolean' | 'any',
): ExpressionOutcome {
  try {
    // A name nothing produced on this path is null, as it is for a step's input; never one inherited from Object.
    const context = Object.fromEntries(
      variables.map((name) => [name, Object.hasOwn(names, name) ? (names[name] ?? null) : null]),
    )
    steps.begin(MOST_STEPS)
    const value = program(context)
    if (steps.isOut) return OUT_OF_STEPS
    if (want === 'any') return celToJson(value)
    if (typeof value === 'boolean') return { ok: true, value }
    return {
      ok: false,
      message: `The result is not a boolean but ${value === null ? 'null' : typeof value}.`,
    }
  } catch (error) {
    if (steps.isOut) return OUT_OF_STEPS
    return { ok: false, message: firstLine(error instanceof Error ? error.message : undefined) }
  }
}

function decide(
  program: (context: Record<string, unknown>) => unknown,
  steps: Steps,
  names: Readonly<Record<string, unknown>>,
  budget: StepBudget | undefined,
): boolean | { readonly message: string } {
  steps.begin(budget?.left ?? MOST_STEPS)
  try {
    const value = program(names)
    if (steps.isOut) return OUT_OF_STEPS
    return typeof value === 'boolean'
      ? value
      : { message: `The result is not a boolean but ${value === null ? 'null' : typeof value}.` }
  } catch (error) {
    if (steps.isOut) return OUT_OF_STEPS
    return { message: firstLine(error instanceof Error ? error.message : undefined) }
  } finally {
    if (budget) budget.left = steps.left
  }
}

function* equalitiesOf(node: ASTNode): Generator<ExpressionEquality> {
  if (node.op === '&&') {
    for (const each of node.args) yield* equalitiesOf(each)
  } else if (node.op === '==') {
    const [left, right] = node.args
    for (const [field, literal] of [
      [left, right],
      [right, left],
    ] as const) {
      const names = namesOf(field)
      if (names && literal.op === 'value' && typeof literal.args === 'string')
        yield { names, value: literal.args }
    }
  }
}

class Scan {
  readonly variables = new Set<string>()
  readonly paths: ExpressionPath[] = []
  readonly calls = new Set<string>()
  refusal: NoExpression | undefined

  visit(node: ASTNode, bound: ReadonlySet<string>, inside: boolean): void {
    if (this.refusal) return
    const names = namesOf(node)
    const [root] = names ?? []
    if (names && root !== undefined) {
      if (bound.has(root) || TYPE_NAMES.has(root)) return
      this.variables.add(root)
      this.paths.push({ names, offset: node.start })
      return
    }
    if (node.op === 'call' || node.op === 'rcall') this.calls.add(node.args[0])
    if (node.op === 'rcall') {
      const [name, receiver, args] = node.args
      if (name === 'matches')
        this.refusal = refuse(
          'matches() is not offered.',
          node.start,
          'Use contains, startsWith, endsWith, or let a step classify the text.',
        )
      const variable = args[0]
      if (COMPREHENSIONS.has(name) && args.length > 1 && variable?.op === 'id') {
        if (inside)
          this.refusal = refuse(
            `${name}() inside another comprehension is not offered.`,
            node.start,
            'Let a step compute the list.',
          )
        this.visit(receiver, bound, inside)
        const within = new Set(bound).add(variable.args)
        for (const arg of args.slice(1)) this.visit(arg, within, true)
        return
      }
    }
    if (node.op === 'call' && node.args[0] === 'matches')
      this.refusal = refuse('matches() is not offered.', node.start, 'Use contains, startsWith or endsWith.')
    for (const child of childrenOf(node.args)) this.visit(child, bound, inside)
  }
}

/** The name and the fields of it that a node reads, as `["a", "b"]` of `a.b` and `a["b"]`; null of anything else. */
function namesOf(node: ASTNode): readonly string[] | null {
  if (node.op === 'id') return [node.args]
  if (node.op !== '.' && node.op !== '[]') return null
  const [receiver, field] = node.args
  const name = typeof field === 'string' ? field : field.op === 'value' ? field.args : undefined
  const before = typeof name === 'string' ? namesOf(receiver) : null
  return before && typeof name === 'string' ? [...before, name] : null
}

function* childrenOf(args: unknown): Generator<ASTNode> {
  if (Array.isArray(args)) for (const arg of args) yield* childrenOf(arg)
  else if (isAstNode(args)) yield args
}

function isAstNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value
}

function refuse(message: string, offset: number, hint: string): NoExpression {
  return { ok: false, message, offset, hint }
}

/** A message quotes what it is about, of which PostgreSQL keeps no NUL and no half of a character. */
function firstLine(message: string | undefined): string {
  const [line = ''] = (message ?? 'The expression cannot be evaluated.').split('\n', 1)
  return line.replaceAll('\0', '\ufffd').slice(0, 300).toWellFormed()
}
