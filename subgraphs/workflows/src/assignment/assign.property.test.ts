import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assign, type Candidate, scoreOf, type Wish } from './assign.ts'

const candidate = fc.record(
  {
    id: fc.uuid(),
    name: fc.string({ minLength: 1 }),
    domainId: fc.constantFrom(null, 'support', 'marketing'),
    capabilities: fc.integer({ min: 1, max: 20 }),
    slots: fc.integer({ min: 1, max: 50 }),
    running: fc.integer({ min: 0, max: 100 }),
    quality: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    costUsd: fc.double({ min: 0, max: 10, noNaN: true }),
    unavailable: fc.constantFrom('unhealthy', 'breaker_open', 'draining', 'deploying', 'failed_before'),
    trial: fc.boolean(),
  },
  {
    requiredKeys: ['id', 'name', 'domainId', 'capabilities', 'slots', 'running', 'quality', 'costUsd'],
  },
) satisfies fc.Arbitrary<Candidate>
const candidates = fc.uniqueArray(candidate, { minLength: 1, maxLength: 8, selector: ({ id }) => id })
const wish: fc.Arbitrary<Wish> = fc.record({
  domainId: fc.constantFrom(null, 'support', 'marketing'),
  before: fc.constant(null),
  key: fc.string(),
})

const plain = (id: string, more: Partial<Candidate> = {}): Candidate => ({
  id,
  name: id,
  domainId: null,
  capabilities: 1,
  slots: 10,
  running: 0,
  quality: null,
  costUsd: 0,
  ...more,
})
const NOTHING: Wish = { domainId: null, before: null, key: 'run' }
const chosen = (among: readonly Candidate[], more: Partial<Wish> = {}) =>
  assign(among, { ...NOTHING, ...more })?.agent.id

test('somebody is chosen whenever there is somebody, available before unavailable', () => {
  fc.assert(
    fc.property(candidates, wish, (among, wanted) => {
      const found = assign(among, wanted)
      expect(found).toBeDefined()
      if (among.some(({ unavailable }) => !unavailable)) expect(found?.agent.unavailable).toBeUndefined()
      else expect(found?.assignment.reasons.join()).toContain('least bad')
      expect(found?.assignment.ranking.map(({ agent }) => agent)).toHaveLength(Math.min(5, among.length))
    }),
  )
})

test('the choice is the same whatever the order, and for the same work', () => {
  fc.assert(
    fc.property(candidates, wish, (among, wanted) => {
      const trials = among.filter(({ trial, unavailable }) => trial && !unavailable)
      fc.pre(trials.length <= 1)
      expect(assign(among.toReversed(), wanted)?.agent).toEqual(assign(among, wanted)?.agent)
    }),
  )
})

test('who is better in one thing never has the lower score', () => {
  fc.assert(
    fc.property(candidate, wish, fc.nat(20), (one, wanted, less) => {
      const better: Partial<Candidate>[] = [
        { running: Math.max(0, one.running - less) },
        { quality: 1 },
        { costUsd: 0 },
        { capabilities: 1 },
        { domainId: wanted.domainId },
      ]
      for (const change of better)
        expect(scoreOf({ ...one, ...change }, wanted, 10)).toBeGreaterThanOrEqual(
          scoreOf(one, wanted, 10) - 1e-9,
        )
    }),
  )
})

test('nobody is left without work when all are equal, and who has twice the slots gets about twice as much', () => {
  const among = [plain('a'), plain('b'), plain('c', { slots: 20 })]
  const shares = new Map<string, number>()
  for (let run = 0; run < 4_000; run++) {
    const id = chosen(among, { key: `run ${run}` }) ?? ''
    shares.set(id, (shares.get(id) ?? 0) + 1)
  }
  const of = (id: string) => (shares.get(id) ?? 0) / 4_000
  expect(of('a')).toBeCloseTo(0.25, 1)
  expect(of('b')).toBeCloseTo(0.25, 1)
  expect(of('c')).toBeCloseTo(0.5, 1)
})

test('each thing counts by itself', () => {
  expect(chosen([plain('far'), plain('near', { domainId: 'd' })], { domainId: 'd' })).toBe('near')
  expect(chosen([plain('busy', { running: 10 }), plain('free')])).toBe('free')
  expect(chosen([plain('poor', { quality: 0.3 }), plain('good', { quality: 0.9 })])).toBe('good')
  expect(chosen([plain('all', { capabilities: 10 }), plain('one')])).toBe('one')
  expect(chosen([plain('dear', { costUsd: 2 }), plain('cheap')])).toBe('cheap')
  expect(chosen([plain('other'), plain('same')], { before: 'same' })).toBe('same')
})

test('who did the work before keeps it until it has clearly more to do than others', () => {
  const at = (running: number) =>
    chosen([plain('same', { running }), plain('other', { running: 1 })], { before: 'same' })
  expect(at(2)).toBe('same')
  expect(at(10)).toBe('other')
})

test('an agent whose breaker may be tried gets the task, and one that may not gets none', () => {
  expect(chosen([plain('well'), plain('tried', { trial: true, running: 9 })])).toBe('tried')
  expect(chosen([plain('well', { running: 9 }), plain('open', { unavailable: 'breaker_open' })])).toBe('well')
})

test('of the work that an agent would get others take their shares, and nobody else', () => {
  const among = [
    plain('best', {
      quality: 1,
      shares: [
        { to: 'one', percent: 30 },
        { to: 'other', percent: 10 },
      ],
    }),
    plain('one', { quality: 0 }),
    plain('other', { quality: 0 }),
    plain('nobody', { quality: 0 }),
  ]
  const counted = Map.groupBy(
    Array.from({ length: 4_000 }, (_, run) => assign(among, { ...NOTHING, key: `run ${run}` })),
    (found) => found?.agent.id,
  )
  // Drawn from the keys above, so they are the same at each run of this test.
  const shares = [...counted].map(([id, found]): [string, number] => [id ?? '', found.length / 4_000])
  expect(Object.fromEntries(shares)).toEqual({
    best: expect.closeTo(0.6, 1),
    one: expect.closeTo(0.3, 1),
    other: expect.closeTo(0.1, 1),
  })
  expect(counted.get('one')?.[0]?.assignment.reasons).toEqual([
    'It takes 30% of the work of "best" since the last rebalancing.',
  ])
})

test('an agent gives its share to nobody who is not there, and keeps what it had before', () => {
  fc.assert(
    fc.property(candidates, wish, fc.string(), (among, wanted, key) => {
      const [first, second] = among
      fc.pre(first !== undefined && second !== undefined && !first.trial)
      if (!first || !second) return
      const giving = { ...first, shares: [{ to: second.id, percent: 100 }] }
      const found = assign([giving, ...among.slice(1)], { ...wanted, key })
      const without = assign([first, ...among.slice(1)], { ...wanted, key })
      const takes =
        without?.agent.id === first.id && !first.unavailable && !second.unavailable && !second.trial
      expect(found?.agent.id).toBe(takes ? second.id : without?.agent.id)
      const kept = assign([giving, ...among.slice(1)], { ...wanted, key, before: first.id })
      const stayed = assign([first, ...among.slice(1)], { ...wanted, key, before: first.id })
      if (stayed?.agent.id === first.id) expect(kept?.agent.id).toBe(first.id)
    }),
  )
})
