import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compilePolicies, type Party, type Policy, type Subject } from './evaluate-policies.ts'

const word = fc.constantFrom('a', 'b', 'c')
const party: fc.Arbitrary<Party> = fc.oneof(
  fc.constant<Party>({ kind: 'any', value: '' }),
  fc.record({
    kind: fc.constantFrom<Party['kind']>('domain', 'team', 'agent', 'type', 'capability'),
    value: word,
  }),
)
const policies: fc.Arbitrary<Policy[]> = fc
  .array(
    fc.record({
      effect: fc.constantFrom<Policy['effect']>('allow', 'deny'),
      priority: fc.integer({ min: -2, max: 2 }),
      from: party,
      to: party,
    }),
    { maxLength: 8 },
  )
  .map((rules) => rules.map((rule, index) => ({ ...rule, id: `${index}`, name: `rule-${index}` })))
const subject: fc.Arbitrary<Subject> = fc.record({
  id: word,
  type: word,
  capabilities: fc.uniqueArray(word),
  teamId: fc.option(word),
  domainId: fc.option(word),
})

/** The rule of the page, word by word: nothing here is put in order. */
function concerns({ kind, value }: Party, one: Subject | null): boolean {
  if (kind === 'any') return true
  if (one === null) return false
  const words = {
    domain: [one.domainId],
    team: [one.teamId],
    agent: [one.id],
    type: [one.type],
    capability: one.capabilities,
  }
  return words[kind].includes(value)
}

test('the highest priority that fits decides, a deny wins there, and where nothing fits all may write', () => {
  fc.assert(
    fc.property(policies, fc.option(subject), subject, (rules, from, to) => {
      const fitting = rules.filter((rule) => concerns(rule.from, from) && concerns(rule.to, to))
      const highest = Math.max(...fitting.map(({ priority }) => priority))
      const deciding = fitting.filter(({ priority }) => priority === highest)
      const allowed = !deciding.some(({ effect }) => effect === 'deny')
      const judged = compilePolicies(rules)(from, to)
      expect(judged.allowed).toBe(allowed)
      if (judged.policy === null) expect(fitting).toEqual([])
      else expect(deciding).toContain(judged.policy)
    }),
    { numRuns: 1_000 },
  )
})

test('the order in which rules were made says nothing', () => {
  fc.assert(
    fc.property(policies, fc.option(subject), subject, (rules, from, to) => {
      expect(compilePolicies([...rules].reverse())(from, to)).toEqual(compilePolicies(rules)(from, to))
    }),
  )
})
