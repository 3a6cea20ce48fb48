import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileCondition } from './index.ts'
import type { ConditionOutcome } from './index.ts'

function evaluate(text: string, names: Record<string, unknown>): ConditionOutcome {
  const compiled = compileCondition(text)
  if (!compiled.ok) throw new Error(compiled.message)
  return compiled.condition.evaluate(names)
}

describe('a condition', () => {
  it.each([
    ['q.confidence > 0.8', { q: { confidence: 0.81 } }, true],
    ['q.confidence > 0.8', { q: { confidence: 0.8 } }, false],
    ['q.confidence > 0.8', { q: { confidence: 1 } }, true],
    ['n + 1 == 3', { n: 2 }, true],
    ['2 * n / 4 > 1', { n: 4 }, true],
    ['size(tags) == 2 && "a" in tags', { tags: ['a', 'b'] }, true],
    ['tags.exists(t, t.startsWith("x"))', { tags: ['ax'] }, false],
    ['missing == null', {}, true],
    ['toString == null', {}, true],
    ['has(q.x) && q.x > 1', { q: {} }, false],
  ])('%s of %j is %s', (text, names, value) => {
    expect(evaluate(text, names)).toEqual({ ok: true, value })
  })

  it.each([
    ['q.confidence > 0.8', {}],
    ['q.confidence > 0.8', { q: { confidence: 'high' } }],
    ['q.constructor != null', { q: {} }],
    ['q.flag', { q: { flag: 1 } }],
    ['10 / 0 > 1', {}],
  ])('%s of %j is an outcome, not an exception', (text, names) => {
    expect(evaluate(text, names)).toMatchObject({ ok: false, message: expect.stringMatching(/./) })
  })

  it('knows which names it reads, and not those it binds itself', () => {
    const compiled = compileCondition('xs.filter(x, x > y).size() > int(z.n) && cel.bind(b, w, b > 1)')
    expect(compiled.ok && new Set(compiled.condition.variables)).toEqual(new Set(['xs', 'y', 'z', 'w']))
  })

  it('answers any text over any state', () => {
    const text = fc.string({
      unit: fc.constantFrom(
        'q',
        '.',
        'a',
        '1',
        '0.5',
        '>',
        '==',
        '&&',
        '!',
        '(',
        ')',
        '[',
        ']',
        '"',
        'map',
        'has',
        ',',
        '?',
        ':',
        'in',
        '-',
        ' ',
      ),
    })
    fc.assert(
      fc.property(text, fc.jsonValue(), (source, q) => {
        const compiled = compileCondition(source)
        const outcome = compiled.ok ? compiled.condition.evaluate({ q, a: q }) : undefined
        return outcome === undefined || !outcome.ok || typeof outcome.value === 'boolean'
      }),
      { numRuns: 3_000 },
    )
  })
})
