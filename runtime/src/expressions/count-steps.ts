import type { Steps } from './steps.ts'

/** What cel-js 8 evaluates: `handle` works on operands that were evaluated before. */
interface Node {
  readonly op: string
  readonly args: unknown
  readonly meta: Meta
  readonly checkedType?: { readonly type: string }
  handle?: Handle
  evaluate: Evaluate
}
type Evaluate = (evaluator: unknown, node: unknown, context: unknown) => unknown
type Handle = (a: unknown, b: unknown, c: unknown, d: unknown) => unknown
type Meta = {
  readonly evaluate: Evaluate
  /** What a macro stands for, evaluated in place of the node. */
  readonly alternate?: unknown
  /** `has` and `bind`: works by itself. */
  readonly macro?: { readonly evaluate: Evaluate; readonly val?: unknown; readonly exp?: unknown }
}
interface Comprehension {
  readonly iterable: unknown
  readonly init: unknown
  readonly step: Node
  condition?: (accumulated: unknown) => boolean
}

/** A call: its overload is sought anew by the types of what it is given. */
const CALL = 40
/** Going on to the next value of a list. */
const TURN = 4
/** A formatter of dates is made for each. */
const TIME_ZONE = 5_000
const SEARCHES = new Set(['contains', 'indexOf', 'lastIndexOf'])

/**
 * Makes the program of a checked tree take its steps from `steps` before it does anything whose cost depends on values.
 * A step taken too many ends the evaluation, also where the language goes on after errors (`||`, `&&`, `exists`, `all`);
 * whoever evaluates asks `steps.isOut` afterwards. Throws when the tree is not as cel-js 8 makes it.
 */
export function countSteps(tree: unknown, steps: Steps): void {
  new Counting(steps).visit(nodeOf(tree), false)
}

class Counting {
  readonly #steps: Steps

  constructor(steps: Steps) {
    this.#steps = steps
  }

  /** Answers how many nodes there are in it. */
  visit(node: Node, isRepeated: boolean): number {
    const { alternate, macro } = node.meta
    if (alternate !== undefined) return 1 + this.visit(nodeOf(alternate), isRepeated)
    if (macro) {
      const inner = [macro.val, macro.exp].filter(isNode)
      // What `has` reads is written out: a few fields.
      return inner.reduce((sum, each) => sum + this.visit(each, isRepeated), 10)
    }
    if (isComprehension(node.args)) return this.#comprehend(node, node.args, isRepeated)
    this.#weigh(node, isRepeated)
    let count = 1
    for (const child of childrenOf(node.args)) count += this.visit(child, isRepeated)
    return count
  }

  #comprehend(node: Node, args: Comprehension, isRepeated: boolean): number {
    const steps = this.#steps
    const { condition, step } = args
    before(node, (range) => steps.takeRange(range))
    const each = this.visit(step, true) + TURN
    around(
      step,
      () => steps.take(each),
      (failure) => steps.takeFailure(failure),
    )
    // Errors are put off until the end of the list; this one is not.
    if (condition) args.condition = (accumulated) => !steps.isOut && condition(accumulated)
    return 1 + this.visit(nodeOf(args.iterable), isRepeated) + this.visit(nodeOf(args.init), isRepeated)
  }

  #weigh(node: Node, isRepeated: boolean): void {
    const steps = this.#steps
    const { op, args } = node
    const typed = (value: unknown) => {
      if (typeof value === 'object' && value !== null) steps.takeType(value)
    }
    if (op === '&&' || op === '||' || op === '?:') {
      for (const operand of [...childrenOf(args)].slice(0, op === '?:' ? 1 : 2)) {
        if (operand.checkedType?.type !== 'bool') after(operand, typed)
        if (isRepeated)
          around(
            operand,
            () => {},
            (failure) => steps.takeFailure(failure),
          )
      }
    } else if (op === 'map') {
      for (const entry of Array.isArray(args) ? args : [])
        for (const key of [...childrenOf(entry)].slice(0, 1))
          if (key.op !== 'value') after(key, (value) => steps.takeKey(value))
    } else if (op === '[]') {
      before(node, (_, key) => steps.takeKey(key))
    } else if (op === '==' || op === '!=') {
      const isShort = [...childrenOf(args)].some(isLiteral)
      before(node, (a, b) => {
        typed(a)
        typed(b)
        if (!isShort || typeof a === 'object' || typeof b === 'object') steps.takeComparison(a, b)
      })
    } else if (op === 'in') {
      before(node, (value, range) => {
        typed(value)
        typed(range)
        steps.takeMembership(value, range)
      })
    } else if (op === '+' || op === '<' || op === '<=' || op === '>' || op === '>=') {
      before(node, (a, b) => {
        typed(a)
        typed(b)
        if (typeof a !== 'number') steps.takeParts(a, b)
      })
    } else if (op === 'call' || op === 'rcall') {
      const name = Array.isArray(args) ? String(args[0]) : ''
      before(node, (given) => {
        if (Array.isArray(given)) this.#call(name, given)
      })
    } else if (op === '-_' || op === '!_') before(node, typed)
    else if ('handle' in node && op !== '.')
      before(node, (a, b) => {
        typed(a)
        typed(b)
      })
  }

  #call(name: string, given: readonly unknown[]): void {
    const steps = this.#steps
    steps.take(CALL)
    for (const each of given) {
      if (typeof each === 'object' && each !== null) steps.takeType(each)
      if (!Array.isArray(each)) steps.takeParts(each)
    }
    const [first, second] = given
    if (name.startsWith('get') && given.length > 1) steps.take(TIME_ZONE)
    if (typeof first === 'string') {
      if (SEARCHES.has(name) && typeof second === 'string') steps.takeSearch(first, second)
      // Its pattern goes back over the digits for each two of them.
      if (name === 'duration') steps.take(first.length ** 3 / 64)
      if (name === 'size' || name === 'split') steps.take(first.length)
    }
    if (name === 'json' && first instanceof Uint8Array) steps.take(first.length)
    if (name === 'join' && Array.isArray(first)) {
      for (const each of first) steps.takeParts(each, second ?? '')
    }
  }
}

/** Before the node works on its operands. */
function before(node: Node, take: (a: unknown, b: unknown) => void): void {
  const { handle } = node
  if (!handle) throw new Error(`cel-js evaluates ${node.op} in another way.`)
  node.handle = (a, b, c, d) => {
    take(a, b)
    return handle(a, b, c, d)
  }
}

/** After the node has its value. */
function after(node: Node, take: (value: unknown) => void): void {
  const evaluate = evaluateOf(node)
  node.evaluate = (evaluator, _node, context) => {
    const value = evaluate(evaluator, node, context)
    take(value)
    return value
  }
}

/** Before the node is evaluated, and where it fails. */
function around(node: Node, begin: () => void, failed: (failure: unknown) => void): void {
  const evaluate = evaluateOf(node)
  node.evaluate = (evaluator, _node, context) => {
    begin()
    try {
      return evaluate(evaluator, node, context)
    } catch (error) {
      failed(error)
      throw error
    }
  }
}

/** As cel-js chooses at the first evaluation: it would put its choice in the place of ours. */
function evaluateOf(node: Node): Evaluate {
  if (Object.hasOwn(node, 'evaluate')) return node.evaluate
  const { alternate, macro, evaluate } = node.meta
  if (isNode(alternate))
    return (evaluator, _node, context) => alternate.evaluate(evaluator, alternate, context)
  if (macro) return (evaluator, _node, context) => macro.evaluate(evaluator, macro, context)
  return (evaluator, _node, context) => evaluate(evaluator, node, context)
}

function* childrenOf(args: unknown): Generator<Node> {
  if (Array.isArray(args)) for (const arg of args) yield* childrenOf(arg)
  else if (isNode(args)) yield args
}

function isLiteral({ op, args }: Node): boolean {
  return op === 'value' && (typeof args !== 'object' || args === null)
}

function nodeOf(value: unknown): Node {
  if (isNode(value)) return value
  throw new Error('cel-js makes trees in another way.')
}

function isNode(value: unknown): value is Node {
  return (
    typeof value === 'object' && value !== null && 'op' in value && 'meta' in value && 'evaluate' in value
  )
}

function isComprehension(args: unknown): args is Comprehension {
  return (
    typeof args === 'object' && args !== null && 'iterable' in args && 'step' in args && isNode(args.step)
  )
}
