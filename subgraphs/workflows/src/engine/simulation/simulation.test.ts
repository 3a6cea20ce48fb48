import { expect, test } from 'vitest'
import { playSeeds } from './play-seeds.ts'
import { simulate } from './simulate.ts'

/** Seeds of a test's run; `npm run simulate` plays more, and any of them again. */
const SEEDS = 10_000

test('no seed breaks an invariant, and the faults do happen', { timeout: 600_000 }, async () => {
  const { seeds, broken, counts } = await playSeeds({ from: 1, to: SEEDS + 1 }, { threads: 1 })
  expect(broken).toBeUndefined()
  expect(seeds).toBe(SEEDS)
  for (const what of [
    'stale write refused',
    'execute: suspended',
    'nudge lost',
    'decided again by a new epoch',
  ])
    expect(counts.get(what), what).toBeGreaterThan(0)
})

test('a seed plays out the same every time', () => {
  for (const seed of [1, 18, 10_000]) {
    const trace = () => {
      const lines: string[] = []
      simulate(seed, { note: (line) => lines.push(line) })
      return lines
    }
    const first = trace()
    expect(first.length).toBeGreaterThan(10)
    expect(trace()).toEqual(first)
  }
})
