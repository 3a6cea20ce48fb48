import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type DecidableApproval, type DecisionRequest, judgeDecision, mayDecide } from './approval-status.ts'
import { canonicalJson } from '@tutti/schema'
import { digestOf } from './digest-of.ts'

const kinds = ['person', 'agent', 'integration', 'system'] as const
const ids = fc.constantFrom('ada', 'ben', 'cleo', 'bot')
const someone = fc.record({
  id: ids,
  kind: fc.constantFrom(...kinds),
  agentId: fc.constantFrom('bot', 'other-bot', undefined),
})
const request: fc.Arbitrary<DecisionRequest> = fc.record({
  verdict: fc.constantFrom('approved' as const, 'rejected' as const),
  digest: fc.constantFrom(null, 'right', 'wrong'),
  finalArguments: fc.constantFrom(null, { amount: 1 }, { amount: 2 }),
})
const steps = fc.array(fc.record({ who: someone, request }), { maxLength: 20 })

test('whatever is decided by whomever in whatever order, at most one decision counts, and it stands', () => {
  fc.assert(
    fc.property(someone, steps, fc.nat(20), (requester, decisions, expiresAt) => {
      let approval: DecidableApproval = {
        status: 'pending',
        digest: 'right',
        requestedBy: { ...requester, name: '' },
        decidedBy: null,
        finalArguments: null,
      }
      let applied = 0
      for (const [index, { who, request }] of decisions.entries()) {
        if (index === expiresAt && approval.status === 'pending')
          approval = { ...approval, status: 'expired' }
        const judgement = judgeDecision(approval, who, request)
        if (judgement.kind === 'refuse') continue
        expect(who.id).not.toBe(requester.id)
        expect(request.digest).not.toBe('wrong')
        expect(approval.status).not.toBe('expired')
        if (judgement.kind === 'repeat') {
          expect(approval).toMatchObject({ status: request.verdict, decidedBy: { id: who.id } })
          continue
        }
        expect(approval.status).toBe('pending')
        applied += 1
        approval = {
          ...approval,
          status: request.verdict,
          decidedBy: { ...who, name: '' },
          finalArguments: request.finalArguments,
        }
      }
      expect(applied).toBeLessThanOrEqual(1)
    }),
  )
})

const asked = (id: string, kind: string, agentId?: string) => ({
  requestedBy: { id, kind, name: id, ...(agentId ? { agentId } : {}) },
})

test.each([
  ['another person', asked('ada', 'person'), { id: 'ben', kind: 'person' as const }, true],
  ['the one who asked', asked('ada', 'person'), { id: 'ada', kind: 'person' as const }, false],
  ['a person for an agent', asked('bot', 'agent'), { id: 'ada', kind: 'person' as const }, true],
  [
    'the agent for which the platform asked',
    asked('system:worker', 'system', 'bot'),
    { id: 'key-9', kind: 'integration' as const, agentId: 'bot' },
    false,
  ],
  [
    'the same agent by its own id',
    asked('key-9', 'integration', 'bot'),
    { id: 'bot', kind: 'agent' as const },
    false,
  ],
  ['an agent for an agent', asked('bot', 'agent'), { id: 'bot-2', kind: 'agent' as const }, false],
  ['an agent for the platform', asked('system:x', 'system'), { id: 'bot', kind: 'agent' as const }, false],
  ['an agent for a person', asked('ada', 'person'), { id: 'bot', kind: 'agent' as const }, true],
])('%s: may decide is as it should be', (_, approval, decider, expected) => {
  expect(mayDecide(approval, decider)).toBe(expected)
})

test('the digest does not depend on the order of keys, and on everything else', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      const shuffled: unknown = JSON.parse(JSON.stringify(a), (_, each: unknown) =>
        typeof each === 'object' && each !== null && !Array.isArray(each)
          ? Object.fromEntries(Object.entries(each).reverse())
          : each,
      )
      expect(digestOf({ action: 'x', arguments: shuffled })).toBe(digestOf({ action: 'x', arguments: a }))
      if (canonicalJson(a) !== canonicalJson(b)) {
        expect(digestOf({ action: 'x', arguments: a })).not.toBe(digestOf({ action: 'x', arguments: b }))
      }
      expect(digestOf({ action: 'y', arguments: a })).not.toBe(digestOf({ action: 'x', arguments: a }))
    }),
  )
})
