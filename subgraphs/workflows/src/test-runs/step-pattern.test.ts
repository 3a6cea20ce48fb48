import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fitsPattern } from './step-pattern.ts'

describe('a pattern of paths', () => {
  it.each([
    ['review', 'review', true],
    ['review', 'each[1]/review', false],
    ['each[*]/review', 'each[17]/review', true],
    ['each[*]/review', 'each[17]/again[0]/review', true],
    ['each[*]/review', 'each[17]/reviews', false],
    ['*review', 'each[17]/review', true],
    ['*', '', true],
    ['a*b*c', 'abcbbc', true],
    ['a*b*c', 'abcbb', false],
    ['', 'a', false],
  ])('%s and %s: %s', (pattern, text, fits) => {
    expect(fitsPattern(pattern, text)).toBe(fits)
  })

  it('agrees with a regular expression', () => {
    const few = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 })
    const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 })
    fc.assert(
      fc.property(few, text, (pattern, given) => {
        expect(fitsPattern(pattern, given)).toBe(new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(given))
      }),
    )
  })

  it('of many stars does not hold anybody up', () => {
    expect(fitsPattern('*a'.repeat(100) + '*c', 'a'.repeat(2_000))).toBe(false)
  })
})
