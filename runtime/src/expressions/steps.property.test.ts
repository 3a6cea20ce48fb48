import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileExpression } from './compile-expression.ts'
import { MOST_STEPS } from './steps.ts'

// The largest that arguments may be is 256 KiB.
const LONG = 'a'.repeat(128_000)
const LARGE = {
  xs: Array.from({ length: 9_900 }, (_, place) => place),
  ys: Array.from({ length: 9_900 }, (_, place) => place + 0.5),
  s: LONG,
  t: `${LONG.slice(0, 60_000)}b`,
  digits: '1'.repeat(128_000),
  m: Object.fromEntries(Array.from({ length: 9_900 }, (_, place) => [`k${place}`, place])),
  m2: Object.fromEntries(Array.from({ length: 9_900 }, (_, place) => [`k${place}`, place])),
  now: new Date(0),
  n: 1,
}
const sum = (terms: number) => Array.from({ length: terms }, () => 'xs').join(' + ')
const grown = `[1.0]${'.map(x, [x, x, x, x, x, x, x, x, x, x])'.repeat(12)}`
const either = (text: string) => Array.from({ length: 40 }, () => text).join(' || ')

test.each([
  [`xs.all(x, ${sum(2)} != [x])`],
  [`xs.all(x, ${sum(40)} != [x])`],
  ['xs.all(x, !(x in ys))'],
  ['xs.exists(x, x.none == 1)'],
  [`xs.exists(x, ${either('x.none == 1')})`],
  [`xs.all(x, ${either('m != m2')})`],
  [`xs.all(x, ${either('size(s + s) == 1')})`],
  ['xs.all(x, s + "b" != t)'],
  ['xs.all(x, s.lowerAscii() != "a")'],
  ['xs.all(x, !s.contains("ab"))'],
  ['xs.all(x, now.getHours("Europe/Berlin") >= 0)'],
  [`${grown} == ${grown.replace('1.0', 'n')}`],
  [`m[${grown}] == 1`],
  [`{${grown}: 1} == m`],
  [`n == ${grown.replace('1.0', 'n')}`],
  ['s.lastIndexOf(t) > 0'],
  ['duration(digits) == duration("1h")'],
  ['xs.map(x, s).join(s) == s'],
  // Whatever goes on after an error does not go on after this one.
  [`s.lastIndexOf(t) > 0 || true`],
  [`xs.exists(x, x == 9899.0 || s.lastIndexOf(t) > 0)`],
])('%s takes too many steps', (text) => {
  const compiled = compileExpression(text, 'boolean')
  if (!compiled.ok) throw new Error(compiled.message)
  const outOfSteps = { message: expect.stringContaining(`${MOST_STEPS} steps`) }
  expect(compiled.expression.evaluate(LARGE)).toMatchObject({ ok: false, ...outOfSteps })
  expect(compiled.expression.test(LARGE)).toMatchObject(outOfSteps)
})

test.each([
  ['xs.all(x, x >= 0.0 && string(x) != "a")', true],
  ['size(s) > 1 && s.contains("b") == false', true],
  ['m.all(k, m[k] >= 0.0)', true],
  ['xs == xs && m == m2', true],
  ['xs.exists(x, x == 3.0)', true],
])('%s does not', (text, value) => {
  expect(compileExpression(text)).toMatchObject({ ok: true })
  const compiled = compileExpression(text)
  expect(compiled.ok && compiled.expression.evaluate(LARGE)).toEqual({ ok: true, value })
})

test('several take from one budget', () => {
  const compiled = compileExpression('xs.all(x, x >= 0.0)', 'boolean')
  if (!compiled.ok) throw new Error(compiled.message)
  const budget = { left: 150_000 }
  const { test: holds } = compiled.expression
  expect(holds(LARGE, budget)).toBe(true)
  expect(budget.left).toBeLessThan(75_000)
  expect(holds(LARGE, budget)).toMatchObject({ message: expect.stringContaining('steps') })
  expect(budget.left).toBe(0)
})

test('what is nested deeper than 32 is not compared, and its fields are read', () => {
  let deep: unknown = 1
  for (let depth = 0; depth < 5_000; depth++) deep = depth % 2 ? [deep] : { a: deep }
  for (const text of ['d == e', 'size(d) == 1', 'd != null', '-d == 1', 'd ? true : false', 'd || false']) {
    const compiled = compileExpression(text)
    if (!compiled.ok) throw new Error(compiled.message)
    expect(compiled.expression.evaluate({ d: deep, e: [deep] })).toMatchObject({
      ok: false,
      message: expect.stringContaining('deeper than 32'),
    })
  }
  const compiled = compileExpression('d[0].a[0].a == 1')
  expect(compiled.ok && compiled.expression.evaluate({ d: [{ a: [{ a: 1 }] }] })).toEqual({
    ok: true,
    value: true,
  })
})

/** Values whose every read is counted. */
class Reads {
  count = 0

  of(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value
    const seen = new Map<PropertyKey, unknown>()
    return new Proxy(value, {
      get: (target, name) => {
        this.count += 1
        const part: unknown = Reflect.get(target, name)
        if (typeof part !== 'object' || typeof name === 'symbol') return part
        if (!seen.has(name)) seen.set(name, this.of(part))
        return seen.get(name)
      },
      ownKeys: (target) => {
        const keys = Reflect.ownKeys(target)
        this.count += keys.length
        return keys
      },
    })
  }
}

const { expression } = fc.letrec<{ expression: string; value: string; body: string }>((tie) => {
  const either = (...texts: string[]) => fc.constantFrom(...texts)
  const binary = fc
    .tuple(tie('value'), either('+', '==', '!=', 'in', '<', '&&', '||', '-'), tie('value'))
    .map(([a, op, b]) => `(${a} ${op} ${b})`)
  const inside = fc
    .array(
      either('xs', 'x', 'm', 'xs[1]', 's', '1.0', '[x, xs]', '[xs, xs]', 'x.none', 'size(xs)', 's.size()'),
      {
        minLength: 2,
        maxLength: 12,
      },
    )
    .chain((parts) =>
      either(' + ', ' == ', ' in ', ' || ', ', ').map((op) =>
        op === ', ' ? `[${parts.join(op)}]` : `(${parts.join(op)})`,
      ),
    )
  return {
    body: inside,
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      either('xs', 'ys', 'm', 'xss', 's', '1.0', '"a"', '[xs, ys]', '{"a": xs}'),
      binary,
      fc
        .tuple(tie('value'), either('map', 'filter', 'all', 'exists', 'exists_one'), tie('body'))
        .map(([range, macro, body]) => `${range}.${macro}(x, ${body})`),
      fc
        .tuple(either('size', 'string', 'dyn', 'type'), tie('value'))
        .map(([name, given]) => `${name}(${given})`),
      fc.tuple(tie('value'), tie('value')).map(([range, place]) => `${range}[${place}]`),
    ),
    expression: tie('value'),
  }
})

test('no expression reads more of its names than it has steps, and it takes as many each time', () => {
  const STEPS = 3_000
  const xs = Array.from({ length: 300 }, (_, place) => place)
  const given = { xs, ys: [...xs], s: 'a'.repeat(300), m: { a: xs, b: { c: 'x' } }, xss: xs.map(() => xs) }
  let [evaluated, outOfSteps] = [0, 0]
  fc.assert(
    fc.property(expression, (text) => {
      const compiled = compileExpression(text)
      if (!compiled.ok) return
      const taken = [0, 0].map(() => {
        const reads = new Reads()
        const names = Object.fromEntries(
          Object.entries(given).map(([name, value]) => [name, reads.of(value)]),
        )
        const budget = { left: STEPS }
        const outcome = compiled.expression.test(names, budget)
        expect(reads.count).toBeLessThan(10 * STEPS)
        return { outcome, left: budget.left }
      })
      expect(taken[0]).toEqual(taken[1])
      evaluated += 1
      if (taken[0]?.left === 0) outOfSteps += 1
    }),
    { numRuns: 2_000 },
  )
  // Otherwise the grammar says nothing.
  expect(evaluated).toBeGreaterThan(200)
  expect(outOfSteps).toBeGreaterThan(0)
})
