import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MOST_GIVEN, planRebalance } from './plan-rebalance.ts'
import {
  applied,
  demandOf,
  loadOf,
  type QuotaRoom,
  type RebalancedAgent,
  type Situation,
} from './situation.ts'

const plain = (agentId: string, more: Partial<RebalancedAgent> = {}): RebalancedAgent => ({
  agentId,
  name: agentId,
  type: agentId,
  capabilities: ['typing'],
  instances: 2,
  tasksPerInstance: 5,
  minInstances: 1,
  maxInstances: 50,
  minPerType: 1,
  maxPerType: 50,
  scaleUpThreshold: 0.8,
  scaleDownThreshold: 0.3,
  isScaledByLoad: false,
  isAvailable: true,
  mayShrink: true,
  tasksNow: 5,
  tasksPeak: null,
  movable: 1,
  responseP95Ms: null,
  targetResponseMs: null,
  costUsd: 0,
  tasksPerDay: 100,
  moneyLeftUsd: null,
  needs: { instances: 1, memoryMb: 0, cpuCores: 0, storageMb: 0, bandwidthMbps: 0, tasks: 5 },
  quotas: [],
  shares: [],
  ...more,
})
const NO_BOUND: QuotaRoom['left'] = {
  instances: null,
  memoryMb: null,
  cpuCores: null,
  storageMb: null,
  bandwidthMbps: null,
  tasks: null,
}
/** Each action in short: `a+1..3`, `a-3..1`, `a>b 20`. */
const shortly = (agents: RebalancedAgent[], quotas: QuotaRoom[] = []) =>
  planRebalance({ agents, quotas }).actions.map((each) =>
    each.action === 'migrate'
      ? `${each.agentId}>${each.toAgentId} ${each.to}`
      : `${each.agentId}${each.action === 'grow' ? '+' : '-'}${each.from}..${each.to}`,
  )

const some = (max: number) => fc.double({ min: 0, max, noNaN: true })
const QUOTAS = ['all', 'team']
const agent = fc.record({
  type: fc.constantFrom('one', 'two'),
  capabilities: fc.subarray(['typing', 'filing'], { minLength: 1 }),
  instances: fc.integer({ min: 1, max: 8 }),
  tasksPerInstance: fc.integer({ min: 1, max: 5 }),
  bounds: fc.tuple(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 10 })),
  thresholds: fc.constantFrom([0.8, 0.3], [0.5, 0.45], [1, 0], [0.9, 0.1]),
  isScaledByLoad: fc.boolean(),
  isAvailable: fc.boolean(),
  mayShrink: fc.boolean(),
  tasksNow: fc.oneof(some(60), fc.integer({ min: 0, max: 60 })),
  tasksPeak: fc.option(some(60)),
  movable: fc.oneof(fc.constant(1), some(1)),
  responseP95Ms: fc.option(some(1_000)),
  targetResponseMs: fc.option(fc.constant(500)),
  costUsd: some(1),
  tasksPerDay: fc.integer({ min: 0, max: 1_000 }),
  moneyLeftUsd: fc.option(some(100)),
  memoryMb: fc.constantFrom(0, 64, 100),
  quotas: fc.subarray(QUOTAS),
  shares: fc.array(fc.tuple(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 1, max: 45 })), {
    maxLength: 2,
  }),
})
const situation: fc.Arbitrary<Situation> = fc
  .record({
    agents: fc.array(agent, { minLength: 1, maxLength: 6 }),
    left: fc.array(fc.option(fc.integer({ min: -5, max: 30 })), { minLength: 4, maxLength: 4 }),
    perType: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 5, max: 40 })),
  })
  .map(({ agents, left, perType }) => ({
    agents: agents.map(({ bounds: [a, b], thresholds, memoryMb, shares, ...each }, index) => ({
      ...each,
      agentId: `agent ${index}`,
      name: `agent ${index}`,
      minInstances: Math.min(a, b),
      maxInstances: Math.max(a, b),
      minPerType: perType[0],
      maxPerType: perType[1],
      scaleUpThreshold: thresholds[0] ?? 0.8,
      scaleDownThreshold: thresholds[1] ?? 0.3,
      needs: { ...plain('').needs, memoryMb, tasks: each.tasksPerInstance },
      // As plans leave them: one that gives receives nothing, each other once.
      shares:
        index % 2 === 0
          ? []
          : [...new Map(shares.map(([to, percent]) => [`agent ${to * 2}`, percent]))].map(
              ([to, percent]) => ({
                to,
                percent,
              }),
            ),
    })),
    quotas: QUOTAS.map((id, index) => ({
      id,
      left: { ...NO_BOUND, instances: left[index] ?? null, memoryMb: left[index + 2] ?? null },
    })),
  }))

test('no plan passes a quota, a bound, a threshold or the money, or gives away more than there is', () => {
  fc.assert(
    fc.property(situation, (before) => {
      const after = applied(before, planRebalance(before).actions)
      for (const [index, { left }] of after.quotas.entries())
        for (const kind of ['instances', 'memoryMb'] as const) {
          const [now, was] = [left[kind], before.quotas[index]?.left[kind] ?? null]
          if (now !== null && was !== null) expect(now).toBeGreaterThanOrEqual(Math.min(0, was))
        }
      for (const each of after.agents) {
        const was = before.agents.find(({ agentId }) => agentId === each.agentId) ?? expect.unreachable()
        if (each.instances > was.instances) {
          expect(each.instances).toBeLessThanOrEqual(each.maxInstances)
          expect(each.moneyLeftUsd ?? 1).toBeGreaterThan(0)
        }
        const ofType = before.agents.filter(({ type }) => type === each.type)
        const isTypeFull = ofType.reduce((sum, { instances }) => sum + instances, 0) > each.maxPerType
        if (each.instances < was.instances && !isTypeFull)
          expect(each.instances).toBeGreaterThanOrEqual(each.minInstances)
        if (each.isScaledByLoad) expect(each.instances).toBe(was.instances)
        expect(each.instances).toBeGreaterThanOrEqual(1)
        const given = each.shares.reduce((sum, { percent }) => sum + percent, 0)
        expect(given).toBeLessThanOrEqual(MOST_GIVEN)
        for (const { to, percent } of each.shares) {
          const taker = after.agents.find(({ agentId }) => agentId === to) ?? expect.unreachable()
          expect(taker.shares).toEqual([])
          const more = percent - (was.shares.find((share) => share.to === to)?.percent ?? 0)
          if (more <= 0) continue
          expect(taker.isAvailable).toBe(true)
          expect(taker.capabilities).toEqual(expect.arrayContaining([...each.capabilities]))
          const slots = taker.instances * taker.tasksPerInstance
          expect(loadOf(taker, after.agents)).toBeLessThanOrEqual(taker.scaleUpThreshold * slots + 0.001)
          if (taker.moneyLeftUsd !== null)
            expect((each.tasksPerDay * each.movable * more * taker.costUsd) / 100).toBeLessThanOrEqual(
              taker.moneyLeftUsd + 0.001,
            )
        }
      }
    }),
    { numRuns: 2_000 },
  )
})

test('after a plan there is nothing to do, and every step of it has its reason', () => {
  fc.assert(
    fc.property(situation, (before) => {
      const { actions } = planRebalance(before)
      expect(planRebalance(applied(before, actions)).actions).toEqual([])
      for (const { reason, from, to } of actions) {
        expect(reason).not.toBe('')
        expect(to).not.toBe(from)
      }
    }),
    { numRuns: 2_000 },
  )
})

test('who stands between the thresholds is left alone', () => {
  fc.assert(
    fc.property(fc.array(agent, { maxLength: 6 }), some(1), (agents, place) => {
      const balanced = agents.map((each, index) =>
        plain(`agent ${index}`, {
          instances: each.instances,
          tasksPerInstance: each.tasksPerInstance,
          capabilities: each.capabilities,
          tasksNow: (0.31 + 0.48 * place) * each.instances * each.tasksPerInstance,
        }),
      )
      expect(planRebalance({ agents: balanced, quotas: [] })).toEqual({ actions: [], overloaded: [] })
    }),
  )
})

test('no load is lost or made up by shares', () => {
  fc.assert(
    fc.property(situation, (before) => {
      const { agents } = applied(before, planRebalance(before).actions)
      const sum = (values: number[]) => values.reduce((total, each) => total + each, 0)
      expect(sum(agents.map((each) => loadOf(each, agents)))).toBeCloseTo(sum(agents.map(demandOf)), 6)
    }),
  )
})

test('it grows first, then migrates what is left; and grows who takes it', () => {
  expect(shortly([plain('a', { tasksNow: 20 })])).toEqual(['a+2..5'])
  const full = { tasksNow: 20, maxInstances: 2 }
  // 20 tasks, 8 of them fit: 12 of 20 are 60%, of which 3 have room in b's slots.
  expect(shortly([plain('a', full), plain('b', { maxInstances: 2 })])).toEqual(['a>b 15'])
  expect(shortly([plain('a', full), plain('b')])).toEqual(['b+2..5', 'a>b 60'])
  expect(shortly([plain('a', full), plain('b', { capabilities: ['filing'] })])).toEqual([])
  expect(shortly([plain('a', full), plain('b', { isAvailable: false })])).toEqual([])
})

test('what is expected counts as what is there', () => {
  expect(shortly([plain('a', { tasksPeak: 20 })])).toEqual(['a+2..5'])
  expect(shortly([plain('a', { instances: 5, tasksPeak: 20 })])).toEqual([])
  expect(shortly([plain('a', { instances: 5, tasksPeak: 6 })])).toEqual(['a-5..2'])
})

test('money, response times and quotas bound it', () => {
  const slow = { responseP95Ms: 900, targetResponseMs: 500 }
  expect(shortly([plain('a', slow)])).toEqual(['a+2..3'])
  expect(shortly([plain('a', { ...slow, tasksNow: 0.5 })])).toEqual(['a+2..3'])
  const full = { tasksNow: 20, maxInstances: 2 }
  expect(shortly([plain('a', full), plain('b', { ...slow, maxInstances: 2 })])).toEqual([])
  // 100 tasks a day at 1 dollar: 10 dollars are 10%.
  expect(shortly([plain('a', full), plain('b', { costUsd: 1, moneyLeftUsd: 10 })])).toEqual(['a>b 10'])
  expect(shortly([plain('a', { tasksNow: 20, moneyLeftUsd: 0 })])).toEqual([])
  const quota = { id: 'all', left: { ...NO_BOUND, tasks: 7 } }
  expect(shortly([plain('a', { tasksNow: 20, quotas: ['all'] })], [quota])).toEqual(['a+2..3'])
  // What is given back is there for who grows.
  const idle = plain('b', { instances: 4, tasksNow: 0, quotas: ['all'], capabilities: ['filing'] })
  expect(shortly([plain('a', { tasksNow: 20, quotas: ['all'] }), idle], [quota])).toEqual([
    'b-4..1',
    'a+2..5',
  ])
})

test('a share is taken back when it is not needed any more', () => {
  const giving = (tasksNow: number) => [
    plain('a', { tasksNow, maxInstances: 2, shares: [{ to: 'b', percent: 60 }] }),
    plain('b', { instances: 5 }),
  ]
  expect(shortly(giving(20))).toEqual([])
  expect(shortly(giving(5))).toEqual(['b-5..2', 'a>b 0'])
  expect(shortly(giving(8).slice(0, 1))).toEqual(['a>b 0'])
})

test('who has too much and nobody to take it is named', () => {
  const { overloaded } = planRebalance({
    agents: [plain('a', { tasksNow: 20, maxInstances: 3 })],
    quotas: [],
  })
  expect(overloaded).toEqual([
    { agentId: 'a', name: 'a', tasks: 8, because: 'It has all instances that it may have.' },
  ])
})
