import fc from 'fast-check'
import { expect, test } from 'vitest'
import { naturalLoads } from './natural-load.ts'

const amount = fc.double({ min: 0.1, max: 100, noNaN: true })

test('what was given and taken is told from what each had, while the share held', () => {
  fc.assert(
    fc.property(
      amount,
      amount,
      fc.integer({ min: 1, max: 90 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (a, b, percent, movable) => {
        const moved = (a * movable * percent) / 100
        const had = [
          { agentId: 'a', at: 10, load: a },
          { agentId: 'b', at: 10, load: b },
          { agentId: 'a', at: 11, load: a - moved },
          { agentId: 'b', at: 11, load: b + moved },
          { agentId: 'a', at: 12, load: a },
          { agentId: 'b', at: 12, load: b },
        ]
        const share = { agentId: 'a', to: 'b', percent, since: 11, until: 12 }
        const natural = naturalLoads(had, [share], (agentId) => (agentId === 'a' ? movable : 0.5))
        expect(natural).toHaveLength(6)
        for (const { agentId, load } of natural) expect(load).toBeCloseTo(agentId === 'a' ? a : b, 6)
      },
    ),
  )
})

test('a share that holds counts until now, and one of an agent that has no load takes nothing', () => {
  const share = { agentId: 'a', to: 'b', percent: 50, since: 0, until: null }
  expect(naturalLoads([{ agentId: 'b', at: 1, load: 3 }], [share], () => 1)).toEqual([
    { agentId: 'b', at: 1, load: 3 },
  ])
  expect(naturalLoads([{ agentId: 'a', at: 1, load: 3 }], [share], () => 1)).toEqual([
    { agentId: 'a', at: 1, load: 6 },
  ])
})
