/** Steps that one evaluation may take. One is about 20 ns: a part of the text evaluated, a value compared or copied. */
export const MOST_STEPS = 2_000_000

/** Steps that several evaluations may take together; each takes from what the ones before left. */
export interface StepBudget {
  left: number
}

/** Characters that are read in the time of one step. */
const CHARACTERS = 32
/** cel-js names a type after its nesting, for each value that it looks at. */
const DEEPEST = 32

/** Thrown without a trace, since it may be thrown often. */
class OutOfSteps extends Error {
  static {
    this.prototype.name = 'OutOfSteps'
  }
}
const OUT_OF_STEPS = new OutOfSteps('It would take too many steps.')
const TOO_DEEP = new Error(
  `A value nested deeper than ${DEEPEST} is neither compared nor given to a function.`,
)

/** Counts the steps of one evaluation at a time. What takes more than are left throws, and so does all that follows. */
export class Steps {
  #left = 0
  #isOut = false
  #failure: unknown

  /** Before each evaluation. */
  begin(left: number): void {
    this.#left = left
    this.#isOut = false
    this.#failure = undefined
  }

  get left(): number {
    return this.#left
  }

  /** One was taken that was not there. */
  get isOut(): boolean {
    return this.#isOut
  }

  take(steps: number): void {
    if ((this.#left -= steps) >= 0) return
    this.#left = 0
    this.#isOut = true
    throw OUT_OF_STEPS
  }

  /** Of a failure that is caught on its way out several times, once. */
  takeFailure(failure: unknown): void {
    if (failure === OUT_OF_STEPS || failure === this.#failure) return
    this.#failure = failure
    this.take(500 + (failure instanceof Error ? this.#ofText(failure.message) : 0))
  }

  /** To put something together of these. */
  takeParts(...parts: readonly unknown[]): void {
    for (const part of parts) {
      if (typeof part === 'string') this.take(this.#ofText(part))
      else if (Array.isArray(part)) this.take(part.length)
      else if (part instanceof Uint8Array) this.take(part.length / CHARACTERS)
    }
  }

  /** To find a text in a text. */
  takeSearch(text: string, sought: string): void {
    this.take((text.length * Math.max(1, sought.length)) / CHARACTERS)
  }

  /** To tell the type of a value: cel-js follows what is first in it. */
  takeType(value: unknown): void {
    let inner = value
    for (let depth = 0; typeof inner === 'object' && inner !== null; depth++) {
      if (depth > DEEPEST) throw TOO_DEEP
      this.take(1)
      if (Array.isArray(inner)) inner = inner[0]
      else if (isPlain(inner)) inner = this.#firstOf(inner)
      else return
    }
  }

  /** To write a value as the name of a field, as JavaScript does. */
  takeKey(value: unknown): void {
    if (typeof value === 'string') this.take(this.#ofText(value))
    else if (Array.isArray(value)) for (const each of value) this.#takeWritten(each)
  }

  /** To go through what a comprehension goes through, besides what it does with each. */
  takeRange(range: unknown): void {
    if (!Array.isArray(range) && isPlain(range)) this.take(this.#keysOf(range).length)
  }

  /** To look for a value in a list, or for a field in a map. */
  takeMembership(value: unknown, range: unknown): void {
    if (!Array.isArray(range)) return this.takeKey(value)
    const isScalar = typeof value !== 'object' || value === null
    if (isScalar) this.take(range.length * (typeof value === 'string' ? this.#ofText(value) : 1))
    else for (const each of range) if (this.takeComparison(value, each)) return
  }

  /** To compare two values, part by part, until they differ; false when they do. */
  takeComparison(a: unknown, b: unknown): boolean {
    this.take(1)
    if (a === b) return true
    if (typeof a === 'string') {
      if (typeof b !== 'string' || a.length !== b.length) return false
      this.take(this.#ofText(a))
      return a === b
    }
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
      // JavaScript writes out a list that cel-js has it compare with a number.
      if (isNumber(a)) this.takeKey(b)
      else if (isNumber(b)) this.takeKey(a)
      // A whole number of CEL's may be one of JSON's.
      // oxlint-disable-next-line eqeqeq
      return isNumber(a) && a == b
    }
    if (Array.isArray(a) && Array.isArray(b))
      return a.length === b.length && a.every((each, place) => this.takeComparison(each, b[place]))
    if (isPlain(a) && isPlain(b)) {
      const keys = this.#keysOf(a)
      if (keys.length !== this.#keysOf(b).length) return false
      return keys.every((key) => Object.hasOwn(b, key) && this.takeComparison(a[key], b[key]))
    }
    this.takeKey(a)
    this.takeKey(b)
    this.takeParts(a)
    return true
  }

  #firstOf(map: Readonly<Record<string, unknown>>): unknown {
    const [first] = this.#keysOf(map)
    return first === undefined ? undefined : map[first]
  }

  #keysOf(map: object): string[] {
    const keys = Object.keys(map)
    this.take(1 + 4 * keys.length)
    return keys
  }

  #takeWritten(value: unknown): void {
    this.take(1)
    this.takeKey(value)
  }

  #ofText(text: string): number {
    return 1 + text.length / CHARACTERS
  }
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
