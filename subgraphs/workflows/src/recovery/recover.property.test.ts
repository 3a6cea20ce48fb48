import { FAILURE_KINDS, RECOVERY_ACTIONS } from '@tutti/schema'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { failureKindOf, recover, saysBroken } from './recover.ts'

const kind = fc.constantFrom(...FAILURE_KINDS)
const actions = fc.array(fc.constantFrom(...RECOVERY_ACTIONS), { minLength: 1, maxLength: 4 })

test('an attempt’s failure is met by the action in its place, and the last goes on', () => {
  fc.assert(
    fc.property(kind, actions, fc.integer({ min: 1, max: 50 }), (failure, list, attempt) => {
      expect(recover(failure, attempt, { [failure]: list })).toBe(list[attempt - 1] ?? list.at(-1))
    }),
  )
})

test('what a policy does not speak of is as by default', () => {
  expect(recover('timeout', 1, { connection: ['escalate'] })).toBe('restart')
  expect(recover('timeout', 2, { timeout: [] })).toBe('fail_over')
  expect(recover('connection', 1)).toBe('fail_over')
  expect(recover('credential', 1)).toBe('escalate')
})

test('an agent’s own refusals never speak against it, and what its executor says comes before the code', () => {
  fc.assert(
    fc.property(fc.string(), (code) => {
      fc.pre(!/^[A-Z_]+$/.test(code))
      expect(saysBroken(failureKindOf({ code }))).toBe(false)
    }),
  )
  expect(failureKindOf({ code: 'AGENT_REFUSED' })).toBe('refusal')
  expect(failureKindOf({ code: 'AGENT_REFUSED', fault: 'server' })).toBe('server')
  expect(failureKindOf({ code: 'CREDENTIAL_NOT_FOUND' })).toBe('credential')
  expect(saysBroken(failureKindOf({ code: 'AGENT_UNREACHABLE' }))).toBe(true)
})
