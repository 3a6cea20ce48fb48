import { ROLES } from '@tutti/schema'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stagesSchema as asked } from '../approvals/approval-stage.ts'
import { entrySchema, stagesOf } from '../authority/authority-entry.ts'
import { joinStages, MOST_TOGETHER, type Stage, stagesSchema } from './stage.ts'

const needed = fc.integer({ min: 0, max: 25 })
const names = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 5 })
const roles = fc.array(fc.constantFrom(...ROLES), { maxLength: 6 })
const policy = fc.array(
  fc.record({ needed, roles, groups: names, people: names }, { requiredKeys: ['needed'] }),
  { maxLength: 11 },
)
const line = fc.record({
  level: fc.constant('agent'),
  action: fc.constant('money.spend'),
  ruling: fc.constant('ask'),
  to: fc.constantFrom('domain', 'person'),
  askRoles: roles,
  needed,
})

/** The stages of those that can be put into force. */
function inForce(policies: readonly unknown[], lines: readonly unknown[]) {
  const ofPolicies = policies.flatMap((each) => {
    const { data } = stagesSchema.safeParse(each)
    return data === undefined ? [] : [data]
  })
  const ofMatrix = lines.flatMap((each) => {
    const { data } = entrySchema.safeParse(each)
    return data === undefined ? [] : [stagesOf(data)]
  })
  return { ofPolicies, ofMatrix }
}

const people = (given: string[]): Stage => ({ needed: 1, roles: [], groups: [], people: given })

test('whatever the matrix and policies may ask for, an approval takes', () => {
  let taken = 0
  fc.assert(
    fc.property(fc.array(policy, { maxLength: 4 }), fc.array(line, { maxLength: 4 }), (policies, lines) => {
      const { ofPolicies, ofMatrix } = inForce(policies, lines)
      const joined = joinStages(...ofMatrix, ...ofPolicies)
      if (joined.length === 0) return
      taken += 1
      expect(asked.safeParse(joined).error).toBeUndefined()
    }),
  )
  expect(taken).toBeGreaterThan(0)
  // The most that is let into force about one action, with a line of the matrix for each set of roles.
  const most = Array.from({ length: MOST_TOGETHER }, (_, place) => people([String(place)]))
  const sets = ROLES.reduce<string[][]>((all, role) => [...all, ...all.map((set) => [...set, role])], [[]])
  const lines = sets.map((askRoles) => ({ ...people([]), roles: askRoles })).slice(1)
  expect(asked.safeParse(joinStages(most, ...lines.map((each) => [each]))).success).toBe(true)
})

test('joined, each still has its stages with as many as it needs, and none asks twice for what another does', () => {
  const stages = fc.array(
    fc.tuple(needed, names).map(([most, given]): Stage => ({ ...people(given), needed: most })),
    { maxLength: 4 },
  )
  const keyOf = (stage: Stage) => JSON.stringify(stage.people.toSorted())
  fc.assert(
    fc.property(fc.array(stages, { maxLength: 4 }), (lists) => {
      const joined = joinStages(...lists)
      for (const list of lists) {
        for (const [key, own] of Map.groupBy(list, keyOf)) {
          const there = joined.filter((each) => keyOf(each) === key)
          expect(there.length).toBeGreaterThanOrEqual(own.length)
          for (const [place, each] of own.entries())
            expect(there[place]?.needed).toBeGreaterThanOrEqual(each.needed)
        }
      }
      for (const [key, there] of Map.groupBy(joined, keyOf))
        expect(there.length).toBe(
          Math.max(...lists.map((each) => each.filter((one) => keyOf(one) === key).length)),
        )
    }),
  )
})
