import { MOST_STEPS } from '@tutti/runtime/expressions'
import { expect, test } from 'vitest'
import { compilePolicyCondition } from './compile-policy-condition.ts'
import type { DecisionRequest } from './decision-request.ts'
import { redact, REDACTION_PATH } from './redact.ts'

const request = (given: Record<string, unknown> = {}): DecisionRequest => ({
  actor: { id: 'a', kind: 'agent', name: 'Agent', roles: ['agent'], levels: ['agent'], agentId: 'a-1' },
  action: 'tool.call',
  resource: {
    type: 'tool',
    id: null,
    name: 'refund',
    domain: 'd',
    team: null,
    owner: null,
    attributes: { region: 'eu' },
  },
  context: {
    arguments: given,
    amount: 120.5,
    risk: 'high',
    classification: 'sensitive',
    time: new Date('2026-11-22T22:30:00Z'),
  },
})
const evaluate = (text: string, given?: Record<string, unknown>) => {
  const compiled = compilePolicyCondition(text)
  return compiled.ok ? compiled.condition(request(given), { left: MOST_STEPS }) : compiled
}

test.each([
  ['context.amount > 100'],
  ['context.amount != null && context.amount < 1000.5'],
  ['"agent" in actor.roles && actor.levels == ["agent"]'],
  ['resource.attributes.region == "eu" && resource.type + "/" + resource.name == "tool/refund"'],
  ['context.time.getHours("UTC") >= 22'],
  ['context.risk in ["high", "critical"] && context["classification"] == "sensitive"'],
  ['context.arguments.items.exists(i, i.price > 10)'],
  ['has(context.arguments.items) && !has(context.arguments.other)'],
  ['action.startsWith("tool.")'],
  ['resource.team == null'],
])('%s holds', (text) => {
  expect(evaluate(text, { items: [{ price: 11 }] })).toEqual({ ok: true, value: true })
})

test.each([
  ['context.amount >', /character/],
  ['1 + 1', /boolean/],
  ['user.id == "x"', /There is no user/],
  ['actor.email == "x"', /There is no actor\.email/],
  ['action.name == "x"', /action is a text/],
  ['context.amount.value > 1', /context\.amount has no value/],
  ['actor.name.matches("(a+)+$")', /matches/],
  ['context.arguments.xs.all(x, context.arguments.ys.all(y, x == y))', /inside another/],
  ['["a"].join("") == context.arguments.b', /join/],
])('%s is refused, and told why', (text, message) => {
  expect(evaluate(text)).toMatchObject({ ok: false, problems: [expect.stringMatching(message)] })
})

test('a field that is not what it must be makes it false, whatever cannot be evaluated beside it', () => {
  const failing = 'context.arguments.missing > 1'
  expect(evaluate(`${failing} && resource.domain == "x"`)).toEqual({ ok: true, value: false })
  expect(evaluate(`"x" == action && (${failing})`)).toEqual({ ok: true, value: false })
  // What may not be there is no such field: whether it is there matters.
  expect(evaluate('context.arguments.missing == "x"')).toMatchObject({ ok: false })
  expect(evaluate(`${failing} && resource.domain == "d"`)).toMatchObject({ ok: false })
  expect(evaluate(`${failing} || resource.domain == "x"`)).toMatchObject({ ok: false })
  expect(evaluate('!(resource.domain == "x")')).toEqual({ ok: true, value: true })
})

test('several mistakes are told at once', () => {
  expect(evaluate('user.id == team.id && actor.email == "x"')).toMatchObject({
    ok: false,
    problems: [/user/, /team/, /email/].map((each) => expect.stringMatching(each)),
  })
})

test('what throws, is no yes or no, or takes too many steps is an outcome', () => {
  expect(evaluate('context.arguments.missing > 1')).toMatchObject({ ok: false, message: expect.any(String) })
  expect(evaluate('context.arguments.word', { word: 'yes' })).toMatchObject({ ok: false })
  const xs = Array.from({ length: 4_000 }, (_, index) => index)
  const sum = Array.from({ length: 10 }, () => 'context.arguments.xs').join(' + ')
  expect(evaluate(`context.arguments.xs.all(x, ${sum} != [x])`, { xs })).toMatchObject({
    ok: false,
    message: expect.stringContaining('steps'),
  })
  expect(evaluate('context.arguments.xs.exists(x, x < 0.0)', { xs })).toEqual({ ok: true, value: false })
})

test('what the paths name is cut out of a copy, and nothing else', () => {
  const value = { arguments: { card: '4711', items: [{ card: '1', price: 2 }, { card: '3' }] } }
  expect(redact(value, ['$.arguments.card', '$.arguments.items[*].card', '$.none.of[3].it'])).toEqual({
    arguments: { card: '[redacted]', items: [{ card: '[redacted]', price: 2 }, { card: '[redacted]' }] },
  })
  expect(redact(value, ['$.arguments.items[1]'])).toMatchObject({
    arguments: { items: [{ card: '1' }, '[redacted]'] },
  })
  expect(value.arguments.card).toBe('4711')
  expect(['$.a', '$.a[*].b[0]', '$["a"]', 'a', '$', '$.'].map((path) => REDACTION_PATH.test(path))).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ])
})
