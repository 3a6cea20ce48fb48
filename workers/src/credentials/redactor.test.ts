import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRedactor } from './redactor.ts'

const secret = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_./+=$"\\&%'), minLength: 8, maxLength: 60 })
/** Texts in which no secret of the above is by chance. */
const around = fc.string({ unit: fc.constantFrom(...'klmn {}'), maxLength: 20 })

const ENCODINGS: Record<string, (text: string) => string> = {
  plain: (text) => text,
  hex: (text) => Buffer.from(text).toString('hex'),
  percent: encodeURIComponent,
  base64: (text) => Buffer.from(text).toString('base64'),
  base64url: (text) => Buffer.from(text).toString('base64url'),
  json: (text) => JSON.stringify(text),
}

test.each(Object.entries(ENCODINGS))(
  'a secret is cut out of text as %s, whatever is around it',
  (_, encode) => {
    fc.assert(
      fc.property(secret, around, around, (value, before, after) => {
        const redactor = createRedactor()
        redactor.conceal(value)
        const said = redactor.text(encode(`${before}${value}${after}`))
        expect(said).toContain('[redacted]')
        expect(said).not.toContain(value)
      }),
    )
  },
)

test('it is cut out anywhere in JSON, keys and parts of texts included; everything else stays', () => {
  const redactor = createRedactor()
  redactor.conceal('canary-12345678')
  const given = {
    ok: [1, null, true, 'Bearer canary-12345678!'],
    'canary-12345678': { deep: ['x', { y: 'canary-12345678canary-12345678' }] },
  }
  expect(redactor.json(given)).toEqual({
    ok: [1, null, true, 'Bearer [redacted]!'],
    '[redacted]': { deep: ['x', { y: '[redacted][redacted]' }] },
  })
})

test('who knows no secret changes nothing', () => {
  const value = { a: 'b' }
  expect(createRedactor().json(value)).toBe(value)
})
