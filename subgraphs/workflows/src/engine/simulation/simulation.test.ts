import { expect, test } from 'vitest'
import { BUGS } from './bugs.ts'
import { simulate } from './simulate.ts'

/** Seeds of a test's run; any other is played by `simulate(seed, { note: console.log })`. */
const SEEDS = 1_500
/** Found within so many seeds, each of these bugs proves that the invariants can fail. */
const SOON = 60

test('no seed breaks an invariant, and the faults do happen', { timeout: 240_000 }, () => {
  const counts = new Map<string, number>()
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { violation, counts: of } = simulate(seed)
    expect({ seed, violation }).toEqual({ seed, violation: undefined })
    for (const [what, count] of of) counts.set(what, (counts.get(what) ?? 0) + count)
  }
  for (const what of [
    'stale write refused',
    'execute: suspended',
    'nudge lost',
    'decided again by a new epoch',
  ])
    expect(counts.get(what), what).toBeGreaterThan(0)
})

const caught = BUGS.map((bug) => {
  const { name, caughtBy, ...rules } = bug
  return { name, caughtBy, rules }
})

test(
  'at least twelve planted bugs are caught soon, each by an invariant it is known to break',
  { timeout: 240_000 },
  () => {
    const found = caught.filter(({ caughtBy, rules }) => {
      for (let seed = 1; seed <= SOON; seed += 1) {
        const { violation } = simulate(seed, rules)
        if (violation) return caughtBy.includes(violation.invariant)
      }
      return false
    })
    expect(found.length).toBeGreaterThanOrEqual(12)
  },
)
