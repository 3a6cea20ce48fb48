import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileExpression } from './compile-expression.ts'
import type { ExpressionOutcome } from './compile-expression.ts'

function evaluate(text: string, names: Record<string, unknown> = {}): ExpressionOutcome {
  const compiled = compileExpression(text)
  if (!compiled.ok) throw new Error(compiled.message)
  return compiled.expression.evaluate(names)
}

describe('an expression', () => {
  it.each([
    ['1 + 2', {}, 3],
    ['n + 1', { n: 2 }, 3],
    ['n % 2', { n: 5 }, 1],
    ['n % m', { n: 5, m: 3 }, 2],
    ['-7u == 0u ? 1 : 7', {}, undefined],
    ['7u', {}, 7],
    ['"a" + string(n)', { n: 1 }, 'a1'],
    ['x', {}, null],
    ['x', { x: { deep: [1, { y: null }] } }, { deep: [1, { y: null }] }],
    ['{"n": size(xs), "first": xs[0], 3: [1u, 2.5]}', { xs: ['a'] }, { n: 1, first: 'a', 3: [1, 2.5] }],
    ['xs.map(x, {"twice": x * 2})', { xs: [1, 2] }, [{ twice: 2 }, { twice: 4 }]],
    ['timestamp(t) + duration("90m")', { t: '2026-03-29T00:30:00Z' }, '2026-03-29T02:00:00.000Z'],
    ['duration("1.5s")', {}, '1.5s'],
    ['[null, true]', {}, [null, true]],
  ])('%s of %j is plain JSON: %j', (text, names, value) => {
    if (value === undefined) expect(compileExpression(text).ok).toBe(false)
    else expect(evaluate(text, names)).toStrictEqual({ ok: true, value })
  })

  it.each([
    ['9007199254740993', /exactly/],
    ['[1.0 / 0.0]', /Infinity/],
    ['{"a": b"x"}', /bytes/],
    ['[type(1)]', /type/],
    ['missing.field', /./],
    ['int("x")', /./],
  ])('%s is an outcome that is not JSON, and no exception', (text, message) => {
    expect(evaluate(text)).toMatchObject({ ok: false, message: expect.stringMatching(message) })
  })

  it.each([
    ['a +', 3],
    ['b"x"', 0],
    ['type(1)', 0],
    ['x.matches("(a+)+$")', 0],
    ['xs.map(x, xs.map(y, x))', 10],
    ['[[1]].map(x, x.exists(y, y > 1))', 13],
  ])('%s is refused where the mistake is', (text, offset) => {
    expect(compileExpression(text)).toMatchObject({ ok: false, offset, hint: expect.stringMatching(/./) })
  })

  it('says which names, fields and functions it reads', () => {
    const compiled = compileExpression(
      'a.b["c"].size() > 1 && d[0].e == f && xs.exists(x, x.y == a.z) && has(g.h)',
    )
    expect(compiled.ok && compiled.expression.variables).toEqual(['a', 'd', 'f', 'xs', 'g'])
    expect(compiled.ok && compiled.expression.paths.map(({ names }) => names.join('.'))).toEqual([
      'a.b.c',
      'd',
      'f',
      'xs',
      'a.z',
      'g.h',
    ])
    expect(compiled.ok && [...compiled.expression.calls]).toEqual(['size', 'exists', 'has'])
  })

  it('says what must be equal to a text for the whole to be true', () => {
    const compiled = compileExpression(
      'a.b == "x" && ("y" == c && d > 1) && (e == "z" || f == "z")',
      'boolean',
    )
    expect(compiled.ok && compiled.expression.equalities).toEqual([
      { names: ['a', 'b'], value: 'x' },
      { names: ['c'], value: 'y' },
    ])
  })

  it('tests without copying, and never throws', () => {
    const compiled = compileExpression('a.b', 'boolean')
    if (!compiled.ok) throw new Error(compiled.message)
    const { test } = compiled.expression
    expect([test({ a: { b: true } }), test({ a: { b: false } })]).toEqual([true, false])
    for (const a of [{ b: 'yes' }, {}]) expect(test({ a })).toEqual({ message: expect.any(String) })
  })

  it('fails with a message that can be kept, whatever its values were', () => {
    for (const key of ['a\0b', '\ud800', `${'x'.repeat(299 - 'No such key: '.length)}\u{1f600}`]) {
      const outcome = evaluate('names[key] == 1', { names: {}, key })
      expect(outcome).toMatchObject({ ok: false, message: expect.stringMatching(/^No such key: [^\0]*$/) })
      const message = outcome.ok ? '' : outcome.message
      expect(message.isWellFormed() && message.length <= 300).toBe(true)
    }
  })

  it('is boolean where that is wanted', () => {
    expect(compileExpression('1 + 1', 'boolean')).toMatchObject({ ok: false })
    const compiled = compileExpression('x', 'boolean')
    expect(compiled.ok && compiled.expression.evaluate({ x: true })).toEqual({ ok: true, value: true })
    expect(compiled.ok && compiled.expression.evaluate({ x: 'yes' })).toMatchObject({ ok: false })
  })

  it('does not grow without bound', () => {
    expect(evaluate('x + x', { x: 'a'.repeat(1_500_000) })).toMatchObject({
      ok: false,
      message: 'The result is larger than 2 MiB.',
    })
    expect(compileExpression(`"${'a'.repeat(2_000)}"`)).toMatchObject({ ok: false })
  })

  it('copies: what it gives back shares nothing with its names', () => {
    const x = { list: [1] }
    const outcome = evaluate('x', { x })
    x.list.push(2)
    expect(outcome).toEqual({ ok: true, value: { list: [1] } })
  })

  it('gives back any JSON value as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (x) => {
        // -0 is 0 in JSON.
        const plain: unknown = JSON.parse(JSON.stringify(x))
        expect(evaluate('x', { x: plain })).toEqual({ ok: true, value: plain })
      }),
    )
  })
})
