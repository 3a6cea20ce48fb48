import { expect, test } from 'vitest'
import { DECISION, readDecision } from './read-decision.ts'

const decision = { approvalId: 'a', decision: 'approved', decidedBy: 'ada', comment: null, arguments: {} }

test('what was decided for an agent is no decision for the one that takes its task over', () => {
  const task = { input: { [DECISION]: { ...decision, agentId: 'one' } } }
  expect(readDecision(task, { id: 'one' })).toMatchObject(decision)
  expect(readDecision(task, { id: 'two' })).toBeUndefined()
  expect(readDecision({ input: {} }, { id: 'one' })).toBeUndefined()
})
