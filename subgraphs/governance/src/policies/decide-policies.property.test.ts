import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compilePolicies, EFFECTS, type ExceptionSource, type PolicySource } from './compile-policies.ts'
import { decidePolicies } from './decide-policies.ts'
import type { DecisionRequest } from './decision-request.ts'

const NOW = new Date('2026-11-22T12:00:00Z')
const HOUR = 3_600_000
const at = (hours: number) => new Date(NOW.getTime() + hours * HOUR)

const request = (amount: number, action = 'money.spend'): DecisionRequest => ({
  actor: { id: 'ada', kind: 'person', name: 'Ada', roles: ['operator'], levels: ['domain'], agentId: null },
  action,
  resource: { type: 'order', id: '1', name: null, domain: null, team: null, owner: null, attributes: {} },
  context: { arguments: { amount }, amount, risk: null, classification: null, time: NOW },
})

const date = fc.option(fc.integer({ min: -48, max: 48 }).map(at), { nil: null })
const policy: fc.Arbitrary<PolicySource> = fc
  .record({
    id: fc.integer({ min: 1, max: 1_000_000 }),
    effect: fc.constantFrom(...EFFECTS),
    priority: fc.integer({ min: -3, max: 3 }),
    actions: fc.subarray(['*', 'money.*', 'money.spend', 'tool.call', 'data.*'], { minLength: 1 }),
    // The last one cannot be evaluated: there is no such argument.
    condition: fc.constantFrom(
      null,
      'context.amount > 100',
      'context.amount <= 500',
      'context.arguments.none > 1',
    ),
    status: fc.constantFrom('active', 'active', 'active', 'retired', 'draft', 'in_review', 'rejected'),
    activatedAt: fc.constant(null),
    effectiveFrom: date,
    effectiveUntil: date,
    endedAt: fc.constant(null),
  })
  .map(({ id, effect, ...rest }) => ({
    ...rest,
    policyId: `policy-${id}`,
    versionId: `version-${id}`,
    name: `p${id}`,
    version: 1,
    effect,
    stages:
      effect === 'require_approval' ? [{ needed: 1, roles: ['admin'], groups: [], people: [`p${id}`] }] : [],
    escalateTo: effect === 'escalate' ? ('person' as const) : null,
    redact: effect === 'redact' ? [`$.arguments.f${id}`] : [],
  }))
const policies = fc.uniqueArray(policy, { selector: ({ policyId }) => policyId, maxLength: 12 })
const amount = fc.integer({ min: 0, max: 1_000 })
const action = fc.constantFrom('money.spend', 'tool.call', 'data.read', 'run.start')

/** From the freest to the least free. */
const FREEDOM = ['allow', 'require_approval', 'escalate', 'deny']
const freedomOf = (effect: string): number =>
  Math.min(2, FREEDOM.indexOf(effect)) + (effect === 'deny' ? 1 : 0)

const holds = ({ status, effectiveFrom, effectiveUntil }: PolicySource): boolean =>
  status === 'active' &&
  (effectiveFrom === null || effectiveFrom <= NOW) &&
  (effectiveUntil === null || NOW < effectiveUntil)

test('the order in which policies were written changes nothing', () => {
  fc.assert(
    fc.property(
      policies.chain((list) =>
        fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
      ),
      amount,
      action,
      ([list, shuffled], sum, what) => {
        const [one, other] = [list, shuffled].map((each) =>
          decidePolicies(compilePolicies(each), request(sum, what)),
        )
        expect(one).toEqual(other)
      },
    ),
  )
})

test('a deny wins, whatever stands beside it', () => {
  fc.assert(
    fc.property(policies, policy, amount, (list, other, sum) => {
      const deny: PolicySource = {
        ...other,
        policyId: 'the-deny',
        versionId: 'the-deny',
        effect: 'deny',
        condition: null,
        actions: ['money.spend'],
        status: 'active',
        effectiveFrom: null,
        effectiveUntil: null,
      }
      const { effect, obligations } = decidePolicies(compilePolicies([...list, deny]), request(sum))
      expect([effect, obligations.stages]).toEqual(['deny', []])
    }),
  )
})

test('one policy more that denies or asks never allows more, and one that allows changes nothing', () => {
  fc.assert(
    fc.property(policies, policy, amount, action, (list, more, sum, what) => {
      const others = list.filter(({ policyId }) => policyId !== more.policyId)
      const before = decidePolicies(compilePolicies(others), request(sum, what))
      const after = decidePolicies(compilePolicies([...others, more]), request(sum, what))
      if (more.effect === 'allow' && more.condition === null) expect(after.effect).toBe(before.effect)
      // Which of those that ask is heeded is a matter of priority: asking and escalating are one step.
      const step = (effect: string) => (effect === 'escalate' ? 1 : freedomOf(effect))
      expect(step(after.effect)).toBeGreaterThanOrEqual(step(before.effect))
      for (const path of before.obligations.redactions) expect(after.obligations.redactions).toContain(path)
    }),
  )
})

test('what is not active, not yet effective or over has no say', () => {
  fc.assert(
    fc.property(policies, amount, action, (list, sum, what) => {
      const all = decidePolicies(compilePolicies(list), request(sum, what))
      const holding = decidePolicies(compilePolicies(list.filter(holds)), request(sum, what))
      expect(all).toEqual(holding)
    }),
  )
})

test('what cannot be evaluated denies, and says so', () => {
  fc.assert(
    fc.property(policies, amount, action, (list, sum, what) => {
      const { effect, failures } = decidePolicies(compilePolicies(list), request(sum, what))
      const failing = list.filter(
        (each) =>
          holds(each) &&
          each.condition === 'context.arguments.none > 1' &&
          each.actions.some((pattern) => pattern === '*' || what.startsWith(pattern.replace('*', ''))),
      )
      expect(failures.map(({ policyId }) => policyId).sort()).toEqual(
        failing.map(({ policyId }) => policyId).sort(),
      )
      if (failing.length > 0) expect(effect).toBe('deny')
    }),
  )
})

test('all conditions of one decision together have the steps of one', () => {
  const xs = Array.from({ length: 9_000 }, () => 'x')
  const asked = { ...request(1), context: { ...request(1).context, arguments: { xs } } }
  const costly = (name: string): PolicySource => ({
    policyId: name,
    versionId: name,
    name,
    version: 1,
    status: 'active',
    actions: ['*'],
    condition: 'context.arguments.xs.all(x, size(x + "b") == 2 && size(x + "c") == 2)',
    effect: 'redact',
    stages: [],
    escalateTo: null,
    redact: [],
    priority: 0,
    activatedAt: null,
    effectiveFrom: null,
    effectiveUntil: null,
    endedAt: null,
  })
  const names = Array.from({ length: 5 }, (_, place) => `p${place}`)
  const failedOf = (list: readonly string[]) =>
    decidePolicies(compilePolicies(list.map(costly)), asked).failures.map(({ name }) => name)
  for (const name of names) expect(failedOf([name])).toEqual([])
  const { effect, reason } = decidePolicies(compilePolicies(names.map(costly)), asked)
  expect(failedOf(names).length).toBeGreaterThan(0)
  expect({ effect, reason }).toEqual({ effect: 'deny', reason: expect.stringContaining('steps') })
})

test('an exception takes its policy away where it covers, and no other', () => {
  const exception = (policyId: string, from: number, until: number): ExceptionSource => ({
    id: 'exception',
    version: 1,
    policyId,
    actors: ['ada'],
    actions: [],
    resources: ['order/*'],
    startsAt: at(from),
    expiresAt: at(until),
  })
  fc.assert(
    fc.property(policies, fc.nat(), fc.boolean(), amount, action, (list, place, isNow, sum, what) => {
      const chosen = list[place % Math.max(1, list.length)]
      if (!chosen) return
      const excepted = exception(chosen.policyId, isNow ? -1 : 1, isNow ? 1 : 2)
      const decision = decidePolicies(compilePolicies(list, [excepted]), request(sum, what))
      const expected = isNow ? list.filter((each) => each !== chosen) : list
      const { effect, matched, obligations } = decidePolicies(compilePolicies(expected), request(sum, what))
      expect([decision.effect, decision.matched, decision.obligations]).toEqual([
        effect,
        matched,
        obligations,
      ])
    }),
  )
})

test('of those that ask the highest priority decides; among equals an escalation, with the stages of all', () => {
  const base = (id: string, effect: PolicySource['effect'], priority: number): PolicySource => ({
    policyId: id,
    versionId: id,
    name: id,
    version: 1,
    status: 'active',
    actions: ['*'],
    condition: null,
    effect,
    stages: effect === 'redact' ? [] : [{ needed: 1, roles: [], groups: [], people: [id] }],
    escalateTo: effect === 'escalate' ? 'enterprise' : null,
    redact: [],
    priority,
    activatedAt: null,
    effectiveFrom: null,
    effectiveUntil: null,
    endedAt: null,
  })
  const decide = (...list: PolicySource[]) => decidePolicies(compilePolicies(list), request(1))
  const [low, high, up] = [
    base('low', 'require_approval', 1),
    base('high', 'require_approval', 2),
    base('up', 'escalate', 1),
  ]
  expect(decide(low, high, up)).toMatchObject({
    effect: 'require_approval',
    obligations: { stages: [{ people: ['high'] }], escalateTo: null },
  })
  expect(decide(low, up)).toMatchObject({
    effect: 'escalate',
    obligations: { stages: [{ people: ['low'] }, { people: ['up'] }], escalateTo: 'enterprise' },
  })
})
