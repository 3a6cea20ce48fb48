import fc from 'fast-check'
import { expect, test } from 'vitest'
import { storableJson } from './storable-json.ts'

test('what can be kept stays as it is', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ unit: 'grapheme' }), (value, text) => {
      expect(JSON.parse(storableJson({ value, text }))).toEqual(JSON.parse(JSON.stringify({ value, text })))
    }),
  )
})

test('what cannot be kept is replaced, character by character, and nothing else', () => {
  const part = fc.constantFrom('\0', '\ud800', '\udfff', '\\', 'u0000', '\\u0000', 'a', '😀', '"', '\n')
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const text = parts.join('')
      const kept: unknown = JSON.parse(storableJson({ [text]: text }))
      const expected = text.toWellFormed().replaceAll('\0', '\uFFFD')
      expect(kept).toEqual({ [expected]: expected })
    }),
  )
})
