import { parse } from '@marcbachmann/cel-js'
import type { ASTNode } from '@marcbachmann/cel-js'
import type { ResolvedReading } from './check-names.ts'
import type { JsonSchema } from './definition.ts'
import type { PlacedExpression } from './draft-step.ts'
import type { ProblemList } from './problem.ts'
import { shift } from './read-expression.ts'
import { certainOf, fieldOf, itemOf, jsonTypeOf } from './schema-type.ts'
import type { Certain } from './schema-type.ts'

type Known = { readonly schema: JsonSchema; readonly root: JsonSchema }
type Names = ReadonlyMap<string, Known>

const COMPARISONS = new Set(['==', '!=', '<', '<=', '>', '>='])
const ARITHMETIC = new Set(['+', '-', '*', '/', '%'])
const COMPREHENSIONS = new Set(['all', 'exists', 'exists_one', 'map', 'filter', 'bind'])

/**
 * Notes what schemas tell to be wrong for certain: a field that cannot be there, a comparison that can never be true or
 * never be made, a list that is none. Null is always possible: a step may not have run.
 */
export function checkTypes(resolved: readonly ResolvedReading[], problems: ProblemList): void {
  for (const { reading, schemas } of resolved) {
    if (schemas.size === 0) continue
    const names: Names = new Map([...schemas].map(([name, schema]) => [name, { schema, root: schema }]))
    if (reading.path) {
      const wrong = wrongField(reading.path, names)
      if (wrong)
        problems.add('type_mismatch', reading.place, wrong, 'Correct the path, or the schema of the value.')
    }
    if (reading.expression) new TypeCheck(reading.expression, problems).run(names)
  }
}

function wrongField(path: readonly string[], names: Names): string | undefined {
  const [first = '', ...fields] = path
  let known = names.get(first)
  let said = first
  for (const field of fields) {
    if (!known) return undefined
    const inner = fieldOf(known.schema, field, known.root)
    if (inner === 'none') return missingField(said, field, known)
    known = inner === undefined ? undefined : { schema: inner, root: known.root }
    said = `${said}.${field}`
  }
  return undefined
}

function missingField(said: string, field: string, { schema, root }: Known): string {
  const { types } = certainOf(schema, root)
  return types && !types.has('object')
    ? `"${said}" is ${describe({ types })}, which has no fields ("${field}").`
    : `By its schema "${said}" has no field "${field}".`
}

class TypeCheck {
  readonly #expression: PlacedExpression
  readonly #problems: ProblemList

  constructor(expression: PlacedExpression, problems: ProblemList) {
    this.#expression = expression
    this.#problems = problems
  }

  run(names: Names): void {
    const { ast } = parse(this.#expression.text)
    this.#visit(ast, names)
    if (this.#expression.wants === 'boolean') this.#expect(ast, names, 'boolean')
    if (this.#expression.wants === 'list') this.#expect(ast, names, 'array')
  }

  #visit(node: ASTNode, names: Names): void {
    switch (node.op) {
      case 'call':
        // has(a.b) asks whether the field is there.
        if (node.args[0] !== 'has') for (const arg of node.args[1]) this.#visit(arg, names)
        return
      case 'rcall':
        return this.#visitMethod(node.args, names)
      case '.':
        this.#visit(node.args[0], names)
        return this.#checkField(node, node.args[0], node.args[1], names)
      case '&&':
      case '||':
        for (const side of node.args) this.#expect(side, names, 'boolean')
        break
      case '!_':
        this.#expect(node.args, names, 'boolean')
        break
      case '?:':
        this.#expect(node.args[0], names, 'boolean')
        break
      default:
        if (isBinary(node)) this.#checkPair(node, names)
    }
    for (const child of childrenOf(node.args)) this.#visit(child, names)
  }

  #visitMethod([name, receiver, args]: readonly [string, ASTNode, readonly ASTNode[]], names: Names): void {
    this.#visit(receiver, names)
    const [variable, ...rest] = args
    const binds = COMPREHENSIONS.has(name) && variable?.op === 'id' && rest.length > 0
    const within = binds ? new Map([...names].filter(([known]) => known !== variable.args)) : names
    for (const arg of binds ? rest : args) this.#visit(arg, within)
  }

  #checkField(node: ASTNode, receiver: ASTNode, field: string, names: Names): void {
    const known = this.#knownOf(receiver, names)
    if (known && fieldOf(known.schema, field, known.root) === 'none')
      this.#note(node, missingField(receiver.input.slice(receiver.start, receiver.end), field, known))
  }

  #checkPair(node: ASTNode & { args: [ASTNode, ASTNode] }, names: Names): void {
    const [left, right] = node.args.map((side) => this.#certain(side, names))
    if (!left || !right) return
    if (COMPARISONS.has(node.op)) {
      if (areApart(left, right, node.op === '==' || node.op === '!='))
        this.#note(
          node,
          `${this.#say(node.args[0], left)} is compared with ${this.#say(node.args[1], right)}.`,
        )
    } else if (ARITHMETIC.has(node.op) && areApart(left, right, false))
      this.#note(
        node,
        `${this.#say(node.args[0], left)} and ${this.#say(node.args[1], right)} do not go with ${node.op}.`,
      )
    else if (node.op === 'in' && right.types && !right.types.has('array') && !right.types.has('object'))
      this.#note(node, `${this.#say(node.args[1], right)} is no list that something could be in.`)
  }

  #expect(node: ASTNode, names: Names, type: 'boolean' | 'array'): void {
    const certain = this.#certain(node, names)
    if (certain?.types && !certain.types.has(type))
      this.#note(
        node,
        `${this.#say(node, certain)}, where ${type === 'array' ? 'a list' : 'true or false'} is wanted.`,
      )
  }

  /** What is certain about a literal, or about a name and the fields below it. */
  #certain(node: ASTNode, names: Names): Certain | undefined {
    if (node.op === 'value') {
      const { args } = node
      if (args instanceof Uint8Array || (typeof args === 'object' && args !== null)) return undefined
      const value = typeof args === 'bigint' ? Number(args) : args
      return { types: new Set([jsonTypeOf(value)]), values: [value] }
    }
    if (node.op === '-_') return { types: new Set(['number']) }
    if (node.op === 'list') return { types: new Set(['array']) }
    if (node.op === 'map') return { types: new Set(['object']) }
    const known = this.#knownOf(node, names)
    return known && certainOf(known.schema, known.root)
  }

  #knownOf(node: ASTNode, names: Names): Known | undefined {
    if (node.op === 'id') return names.get(node.args)
    if (node.op === '.') {
      const known = this.#knownOf(node.args[0], names)
      const inner = known && fieldOf(known.schema, node.args[1], known.root)
      return known && inner !== undefined && inner !== 'none'
        ? { schema: inner, root: known.root }
        : undefined
    }
    if (node.op === '[]') {
      const known = this.#knownOf(node.args[0], names)
      const inner = known && itemOf(known.schema, known.root)
      return known && inner !== undefined ? { schema: inner, root: known.root } : undefined
    }
    return undefined
  }

  #say(node: ASTNode, certain: Certain): string {
    const text = node.input.slice(node.start, node.end).slice(0, 60)
    return node.op === 'value' ? text : `${text} (${describe(certain)})`
  }

  #note(node: ASTNode, message: string): void {
    const { place, textAt } = this.#expression
    this.#problems.add(
      'type_mismatch',
      { path: place.path, at: shift(textAt, node.start) ?? place.at },
      message,
      'Correct the expression, or the schema of the value.',
    )
  }
}

/** Whether two sides share no type, or for equality no value. Whether something is null may always be asked. */
function areApart(left: Certain, right: Certain, isEquality: boolean): boolean {
  const { types: a, values: some } = left
  const { types: b, values: others } = right
  if (isEquality && (isNull(left) || isNull(right))) return false
  if (a && b && ![...a].some((type) => type !== 'null' && b.has(type))) return true
  if (!isEquality || !some || !others) return false
  const isPlain = [...some, ...others].every((value) => typeof value !== 'object' || value === null)
  return isPlain && !some.some((value) => others.includes(value))
}

function isNull({ types }: Certain): boolean {
  return types?.size === 1 && types.has('null')
}

function describe({ types, values }: Certain): string {
  const words = {
    string: 'a text',
    number: 'a number',
    boolean: 'true or false',
    null: 'null',
    object: 'an object',
    array: 'a list',
  }
  if (values && values.length <= 5)
    return `one of ${values
      .map((value) => JSON.stringify(value))
      .join(', ')
      .slice(0, 100)}`
  return types ? [...types].map((type) => words[type]).join(' or ') : 'unknown'
}

function isBinary(node: ASTNode): node is ASTNode & { args: [ASTNode, ASTNode] } {
  return Array.isArray(node.args) && node.args.length === 2 && node.args.every(isAstNode)
}

function* childrenOf(args: unknown): Generator<ASTNode> {
  if (Array.isArray(args)) for (const arg of args) yield* childrenOf(arg)
  else if (isAstNode(args)) yield args
}

function isAstNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value
}
