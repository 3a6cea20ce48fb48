import fc from 'fast-check'
import { expect, test } from 'vitest'
import { admit, type Candidate, type Situation, type TaskLimit } from './admit.ts'
import { refill, wholeStarts } from './token-bucket.ts'

const organizationId = fc.constantFrom('o1', 'o2')
const placed = fc.record({
  organizationId,
  workflowId: fc.constantFrom('w1', 'w2', 'w3'),
  agentId: fc.option(fc.constantFrom('a1', 'a2')),
  limitKey: fc.option(fc.constantFrom('k1', 'k2')),
})
const subjects = {
  organization: [''],
  workflow: ['w1', 'w2'],
  agent: ['a1', 'a2'],
  key: ['k1', 'k2'],
} as const
const limit = fc.constantFrom<TaskLimit['scope']>('organization', 'workflow', 'agent', 'key').chain((scope) =>
  fc.record({
    organizationId,
    scope: fc.constant(scope),
    subject: fc.constantFrom(...subjects[scope]),
    maxRunning: fc.option(fc.integer({ min: 1, max: 6 })),
    tokens: fc.option(fc.double({ min: 0, max: 5, noNaN: true })),
    spent: fc.boolean(),
  }),
)
const situation = fc
  .record({
    candidates: fc.array(placed, { maxLength: 30 }),
    limits: fc.array(limit, { maxLength: 6 }),
    underWay: fc.array(fc.tuple(placed, fc.integer({ min: 1, max: 3 })), { maxLength: 4 }),
    leased: fc.array(fc.nat(29), { maxLength: 3 }),
    costly: fc.subarray(['a1', 'a2']),
    most: fc.integer({ min: 0, max: 30 }),
  })
  .map(({ candidates, limits, underWay, leased, costly, most }) => {
    const named = candidates.map((each, index): Candidate => ({ ...each, strandId: `s${index}` }))
    const rest: Situation = {
      limits: limits.map((each, index) => ({ ...each, id: `l${index}` })),
      underWay: underWay.map(([each, running]) => ({ ...each, running })),
      leased: new Set(leased.map((index) => `s${index}`)),
      costly: new Set(costly),
      most,
    }
    return { candidates: named, ...rest }
  })

const concerns = (of: TaskLimit, each: Omit<Candidate, 'strandId'>): boolean =>
  of.organizationId === each.organizationId &&
  {
    organization: true,
    workflow: of.subject === each.workflowId,
    agent: of.subject === each.agentId,
    key: of.subject === each.limitKey,
  }[of.scope]

test('no limit is exceeded by what is admitted', () => {
  fc.assert(
    fc.property(situation, ({ candidates, ...given }) => {
      const { admitted, taken } = admit(candidates, given)
      expect(admitted.length).toBeLessThanOrEqual(given.most)
      const begun = admitted.filter(({ strandId }) => !given.leased.has(strandId))
      for (const each of given.limits) {
        const concerned = begun.filter((candidate) => concerns(each, candidate))
        const before = given.underWay
          .filter((running) => concerns(each, running))
          .reduce((sum, { running }) => sum + running, 0)
        if (each.maxRunning !== null)
          expect(concerned.length).toBeLessThanOrEqual(Math.max(0, each.maxRunning - before))
        const starts = concerned.filter(({ agentId }) => agentId !== null)
        if (each.tokens !== null) expect(starts.length).toBeLessThanOrEqual(each.tokens + 1e-6)
        expect(taken.get(each.id) ?? 0).toBe(each.tokens === null ? 0 : starts.length)
        if (each.spent) expect(starts.filter(({ agentId }) => given.costly.has(agentId ?? ''))).toEqual([])
      }
    }),
    { numRuns: 1_000 },
  )
})

test('whoever is refused is refused by a limit that is full, and the limit says so', () => {
  fc.assert(
    fc.property(situation, ({ candidates, ...given }) => {
      const { admitted, full } = admit(candidates, given)
      if (admitted.length === given.most) return
      const names = new Set(admitted.map(({ strandId }) => strandId))
      for (const refused of candidates.filter(({ strandId }) => !names.has(strandId))) {
        expect(given.leased.has(refused.strandId)).toBe(false)
        const reasons = full.filter(
          ({ of, ...each }) =>
            (of === 'everything' || refused.agentId !== null) &&
            concerns({ ...each, id: '', maxRunning: null, tokens: null, spent: false }, refused),
        )
        expect(reasons).not.toEqual([])
      }
    }),
    { numRuns: 1_000 },
  )
})

test('the admitted are in the order of the candidates, and deciding twice decides the same', () => {
  fc.assert(
    fc.property(situation, ({ candidates, ...given }) => {
      const { admitted } = admit(candidates, given)
      const positions = admitted.map((each) => candidates.indexOf(each))
      expect(positions).toEqual(positions.toSorted((a, b) => a - b))
      expect(admit(candidates, given).admitted).toEqual(admitted)
    }),
  )
})

const bucket = fc.record({
  maxStarts: fc.integer({ min: 1, max: 50 }),
  perSeconds: fc.integer({ min: 1, max: 3_600 }),
})
const demand = fc.array(
  fc.record({
    /** Milliseconds after the one before; the clock may stand still or go back. */
    after: fc.integer({ min: -500, max: 20_000 }),
    wanted: fc.integer({ min: 0, max: 30 }),
  }),
  { maxLength: 60 },
)

test('in no span of time do more begin than the bucket holds and is filled by', () => {
  fc.assert(
    fc.property(bucket, demand, ({ maxStarts, perSeconds }, steps) => {
      let tokens = maxStarts
      let refilledAt = 0
      let now = 0
      const starts: { at: number; count: number }[] = []
      for (const { after, wanted } of steps) {
        now += after
        tokens = refill({ tokens, maxStarts, perSeconds }, (now - refilledAt) / 1_000)
        refilledAt = Math.max(refilledAt, now)
        const count = Math.min(wanted, wholeStarts(tokens))
        tokens -= count
        starts.push({ at: refilledAt, count })
      }
      for (const [first, from] of starts.entries())
        for (const [index, to] of starts.entries()) {
          if (index < first) continue
          const count = starts.slice(first, index + 1).reduce((sum, each) => sum + each.count, 0)
          const allowed = maxStarts + ((to.at - from.at) / 1_000) * (maxStarts / perSeconds)
          expect(count).toBeLessThanOrEqual(allowed + 1e-6)
        }
    }),
  )
})

test('who always wants more gets the whole rate', () => {
  fc.assert(
    fc.property(bucket, fc.integer({ min: 1, max: 500 }), ({ maxStarts, perSeconds }, seconds) => {
      let tokens = maxStarts
      let begun = 0
      for (let second = 0; second <= seconds; second += 1) {
        if (second > 0) tokens = refill({ tokens, maxStarts, perSeconds }, 1)
        const count = wholeStarts(tokens)
        tokens -= count
        begun += count
      }
      expect(begun).toBeGreaterThanOrEqual(Math.floor(maxStarts + seconds * (maxStarts / perSeconds) - 1e-6))
    }),
  )
})
