import { Environment, EvaluationError, ParseError } from '@marcbachmann/cel-js'
import type { ASTNode } from '@marcbachmann/cel-js'

/** A condition parsed once. */
export type Condition = {
  readonly text: string
  /** The names it reads from trigger payload and outputs. */
  readonly variables: readonly string[]
  /** Never throws: an error of evaluation, or a result that is not a boolean, is an outcome. */
  evaluate(names: Readonly<Record<string, unknown>>): ConditionOutcome
}

/** What became of a condition. */
export type ConditionOutcome =
  | { readonly ok: true; readonly value: boolean }
  | { readonly ok: false; readonly message: string }

/** A parsed condition, or why it is none; `offset` counts characters of the expression from 0. */
export type CompiledCondition =
  | { readonly ok: true; readonly condition: Condition }
  | { readonly ok: false; readonly message: string; readonly offset: number; readonly hint: string }

const LONGEST = 2_000
const COMPREHENSIONS = new Set(['all', 'exists', 'exists_one', 'map', 'filter', 'bind'])
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
]
for (const [operator, apply] of arithmetic) {
  environment.registerOperator(`double ${operator} int: double`, (a: number, b: bigint) =>
    apply(a, Number(b)),
  )
  environment.registerOperator(`int ${operator} double: double`, (a: bigint, b: number) =>
    apply(Number(a), b),
  )
}

/**
 * Parses a CEL condition. Refused besides wrong syntax: a result that cannot be boolean, `matches` (a hostile pattern
 * would hold the engine's thread for minutes) and a comprehension inside another (squares the work over a list).
 */
export function compileCondition(text: string): CompiledCondition {
  if (text.length > LONGEST)
    return refuse(
      `The expression is longer than ${LONGEST} characters.`,
      0,
      'Let a step compute a value and test that.',
    )
  try {
    const program = environment.parse(text)
    const scan = new Scan()
    scan.visit(program.ast, new Set(), false)
    if (scan.refusal) return scan.refusal
    const type = program.check()
    if (!type.valid)
      return refuse(
        firstLine(type.error?.message),
        type.error?.range?.start ?? 0,
        'Compare values of one type.',
      )
    if (type.type !== 'bool' && type.type !== 'dyn')
      return refuse(
        `The result is ${type.type}, not a boolean.`,
        0,
        'Write a comparison, as quality.confidence > 0.8.',
      )
    const variables = [...scan.variables]
    return { ok: true, condition: { text, variables, evaluate: (names) => run(program, variables, names) } }
  } catch (error) {
    const offset =
      error instanceof ParseError || error instanceof EvaluationError ? (error.range?.start ?? 0) : 0
    return refuse(
      firstLine(error instanceof Error ? error.message : undefined),
      offset,
      'Conditions are CEL: quality.confidence > 0.8 && intent != "spam".',
    )
  }
}

function run(
  program: (context: Record<string, unknown>) => unknown,
  variables: readonly string[],
  names: Readonly<Record<string, unknown>>,
): ConditionOutcome {
  try {
    // A name nothing produced on this path is null, as it is for a step's input; never one inherited from Object.
    const context = Object.fromEntries(
      variables.map((name) => [name, Object.hasOwn(names, name) ? (names[name] ?? null) : null]),
    )
    const value = program(context)
    if (typeof value === 'boolean') return { ok: true, value }
    return {
      ok: false,
      message: `The result is not a boolean but ${value === null ? 'null' : typeof value}.`,
    }
  } catch (error) {
    return { ok: false, message: firstLine(error instanceof Error ? error.message : undefined) }
  }
}

class Scan {
  readonly variables = new Set<string>()
  refusal: (CompiledCondition & { ok: false }) | undefined

  visit(node: ASTNode, bound: ReadonlySet<string>, inside: boolean): void {
    if (this.refusal) return
    if (node.op === 'id') {
      if (!bound.has(node.args) && !TYPE_NAMES.has(node.args)) this.variables.add(node.args)
      return
    }
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

function* childrenOf(args: unknown): Generator<ASTNode> {
  if (Array.isArray(args)) for (const arg of args) yield* childrenOf(arg)
  else if (isAstNode(args)) yield args
}

function isAstNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value
}

function refuse(message: string, offset: number, hint: string): CompiledCondition & { ok: false } {
  return { ok: false, message, offset, hint }
}

function firstLine(message: string | undefined): string {
  return (message ?? 'The expression cannot be evaluated.').split('\n', 1)[0]?.slice(0, 300) ?? ''
}
