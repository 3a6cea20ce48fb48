import fc from 'fast-check'
import { expect, test } from 'vitest'
import { issueReportToken, readReportToken } from './report-token.ts'

const SECRET = 'a secret of at least thirty-two bytes'
const tasks = fc.record({
  organizationId: fc.uuid({ version: 7 }),
  strandId: fc.uuid({ version: 7 }),
  id: fc.uuid({ version: 7 }),
  fence: fc.bigInt({ min: 0n, max: 2n ** 62n }),
  begins: fc.boolean(),
  attempt: fc.integer({ min: 1, max: 1_000 }),
})

test('a token says what it was issued for', () => {
  fc.assert(
    fc.property(tasks, ({ id, ...task }) => {
      const token = issueReportToken(SECRET, { id, ...task })
      expect(readReportToken(SECRET, token)).toEqual({ taskId: id, ...task })
      expect(readReportToken(`${SECRET}!`, token)).toBeUndefined()
    }),
  )
})

test('a token that was changed, and any other text, says nothing and breaks nothing', () => {
  fc.assert(
    fc.property(tasks, fc.nat(), fc.string({ minLength: 1, maxLength: 3 }), (task, place, patch) => {
      const token = issueReportToken(SECRET, task)
      const at = place % token.length
      const changed = token.slice(0, at) + patch + token.slice(at + patch.length)
      // The last digit of the signature may stand for the same bytes.
      fc.pre(Buffer.from(changed, 'base64url').compare(Buffer.from(token, 'base64url')) !== 0)
      expect(readReportToken(SECRET, changed)).toBeUndefined()
    }),
  )
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(readReportToken(SECRET, text)).toBeUndefined()
    }),
  )
})
