import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson } from '@tutti/schema'
import type { ApprovalStage } from './approval-stage.ts'
import {
  type Authority,
  conflictOf,
  type CountedDecision,
  type DecidableApproval,
  type DecisionRequest,
  isDecided,
  isOpen,
  isPending,
  judgeDecision,
  mayResubmit,
  wantsChanges,
} from './approval-status.ts'
import { digestOf } from './digest-of.ts'

const PEOPLE = ['ada', 'ben', 'cleo', 'dan', 'eve', 'bot']
const ids = fc.constantFrom(...PEOPLE)
const kinds = ['person', 'agent', 'integration', 'system'] as const
const someone = fc.record({
  id: ids,
  kind: fc.oneof({ weight: 5, arbitrary: fc.constant('person' as const) }, fc.constantFrom(...kinds)),
  agentId: fc.option(fc.constantFrom('bot', 'other-bot'), { nil: undefined, freq: 5 }),
})
const authority = (id: string): fc.Arbitrary<Authority> =>
  fc.record({
    id: fc.constant(id),
    roles: fc.subarray(['approver', 'admin']),
    groups: fc.subarray(['finance', 'legal']),
    teamIds: fc.subarray(['t1', 't2']),
  })
const stage: fc.Arbitrary<ApprovalStage> = fc.record({
  name: fc.constant('s'),
  needed: fc.integer({ min: 1, max: 3 }),
  roles: fc.subarray(['approver', 'admin']),
  groups: fc.subarray(['finance', 'legal']),
  people: fc.subarray(PEOPLE),
  teamIds: fc.subarray(['t1', 't2']),
  deadlineSeconds: fc.constant(null),
  reminderSeconds: fc.constant(null),
  onDeadline: fc.constantFrom('expire' as const, 'escalate' as const),
})
const request: fc.Arbitrary<DecisionRequest> = fc.record({
  verdict: fc.oneof(
    { weight: 6, arbitrary: fc.constant('approved' as const) },
    fc.constantFrom('rejected' as const, 'changes_requested' as const),
  ),
  digest: fc.constantFrom(null, 'right', 'right', 'wrong'),
  finalArguments: fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, fc.constant({ amount: 2 })),
  onBehalfOf: fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, ids),
})
const act = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('decide' as const), who: someone, request }) },
  fc.record({ kind: fc.constant('resubmit' as const), who: someone }),
  fc.constant({ kind: 'deadline' as const }),
)
const world = fc.record({
  requester: someone,
  authors: fc.subarray(PEOPLE, { maxLength: 1 }),
  stages: fc.array(stage, { minLength: 1, maxLength: 3 }),
  allowsChanges: fc.boolean(),
  people: fc.tuple(...PEOPLE.map(authority)),
  lent: fc.array(
    fc.record({
      from: ids,
      to: ids,
      actions: fc.subarray(['money.pay', 'money.*', 'send'], { maxLength: 1 }),
      credentialBy: fc.subarray(PEOPLE, { maxLength: 1 }),
    }),
    { maxLength: 8 },
  ),
  acts: fc.array(act, { maxLength: 30 }),
})

const ofTheirOwn = (people: readonly Authority[], id: string): Authority =>
  people.find((each) => each.id === id) ?? { id, roles: [], groups: [], teamIds: [] }

test('whatever is decided by whomever in whatever order: quorums of distinct people, none in conflict, one end', () => {
  const reached = new Set<string>()
  fc.assert(
    fc.property(world, ({ requester, authors, stages, allowsChanges, people, lent, acts }) => {
      let approval: DecidableApproval = {
        status: 'pending',
        action: 'money.pay',
        digest: 'right',
        requestedBy: { ...requester, name: '' },
        authors,
        stages,
        stage: 0,
        round: 1,
        allowsChanges,
        onDeadline: 'expire',
        isDue: false,
      }
      let decisions: CountedDecision[] = []
      let ends = 0
      for (const each of acts) {
        if (each.kind === 'deadline') {
          approval = { ...approval, isDue: true, status: isOpen(approval) ? 'expired' : approval.status }
          continue
        }
        if (each.kind === 'resubmit') {
          if (!wantsChanges(approval) || !mayResubmit(approval, each.who)) continue
          approval = { ...approval, status: 'pending', stage: 0, round: approval.round + 1 }
          decisions = []
          continue
        }
        const { who, request: asked } = each
        const standing = {
          own: ofTheirOwn(people, who.id),
          lent: lent
            .filter(({ to }) => to === who.id)
            .map(({ from, actions, credentialBy }) => ({
              ...ofTheirOwn(people, from),
              actions,
              credentialBy,
              forTeamIds: [],
            })),
        }
        const judgement = judgeDecision(approval, decisions, who, standing, asked)
        if (judgement.kind === 'refuse') continue
        expect(asked.digest).not.toBe('wrong')
        if (approval.round > 1) expect(asked.digest).toBe('right')
        if (judgement.kind === 'repeat') {
          expect(
            decisions.some(({ personId, verdict }) => personId === who.id && verdict === asked.verdict),
          ).toBe(true)
          continue
        }
        expect(isPending(approval)).toBe(true)
        expect(conflictOf(approval, who)).toBeNull()
        if (judgement.onBehalfOf !== null) {
          reached.add('delegated')
          expect([requester.id, requester.agentId, ...authors]).not.toContain(judgement.onBehalfOf)
          const taken = decisions.flatMap(({ personId, onBehalfOfId }) => [personId, onBehalfOfId])
          expect(
            lent.some(
              ({ from, to, credentialBy }) =>
                from === judgement.onBehalfOf &&
                to === who.id &&
                !credentialBy.some((id) =>
                  [requester.id, requester.agentId, ...authors, ...taken].includes(id),
                ),
            ),
          ).toBe(true)
        }
        decisions.push({
          stage: approval.stage,
          verdict: asked.verdict,
          personId: who.id,
          onBehalfOfId: judgement.onBehalfOf,
          finalArguments: asked.finalArguments,
        })
        const { effect } = judgement
        reached.add(effect.kind === 'end' ? effect.verdict : effect.kind)
        if (effect.kind === 'advance') approval = { ...approval, stage: effect.stage }
        if (effect.kind === 'end') {
          approval = { ...approval, status: effect.verdict }
          if (isDecided(approval)) ends += 1
        }
        const used = decisions.flatMap(({ personId, onBehalfOfId }) =>
          [personId, onBehalfOfId].filter((id) => id !== null),
        )
        expect(new Set(used).size).toBe(used.length)
        if (approval.status === 'approved')
          expect(stages.map((_, index) => decisions.filter((one) => one.stage === index).length)).toEqual(
            stages.map(({ needed }) => needed),
          )
        if (asked.finalArguments !== null) expect(stages).toMatchObject([{ needed: 1 }])
      }
      expect(ends).toBeLessThanOrEqual(1)
    }),
    { numRuns: 2_000 },
  )
  expect([...reached].sort()).toEqual([
    'advance',
    'approved',
    'changes_requested',
    'count',
    'delegated',
    'rejected',
  ])
})

const asked = (id: string, kind: string, agentId?: string) => ({
  authors: ['wendy'],
  requestedBy: { id, kind, name: id, ...(agentId ? { agentId } : {}) },
})

test.each([
  ['another person', asked('ada', 'person'), { id: 'ben', kind: 'person' as const }, null],
  ['the one who asked', asked('ada', 'person'), { id: 'ada', kind: 'person' as const }, 'REQUESTER'],
  ['the one who wrote it', asked('ada', 'person'), { id: 'wendy', kind: 'person' as const }, 'AUTHOR'],
  ['a person for an agent', asked('bot', 'agent'), { id: 'ada', kind: 'person' as const }, null],
  [
    'the agent for which the platform asked',
    asked('system:worker', 'system', 'bot'),
    { id: 'key-9', kind: 'integration' as const, agentId: 'bot' },
    'AGENT',
  ],
  [
    'the same agent by its own id',
    asked('key-9', 'integration', 'bot'),
    { id: 'bot', kind: 'agent' as const },
    'AGENT',
  ],
  ['an agent for an agent', asked('bot', 'agent'), { id: 'bot-2', kind: 'agent' as const }, 'AGENT'],
  ['an agent for the platform', asked('system:x', 'system'), { id: 'bot', kind: 'agent' as const }, 'AGENT'],
  ['an agent for a person', asked('ada', 'person'), { id: 'bot', kind: 'agent' as const }, 'AGENT'],
])('%s: the duties are separated as they should be', (_, approval, decider, expected) => {
  expect(conflictOf(approval, decider)?.split(':')[0] ?? null).toBe(expected)
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
