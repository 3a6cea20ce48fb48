import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AgentLoad, boundsOf, decideScale, type ScalingState } from './decide-scale.ts'
import { DEFAULT_POLICY, type ScalingPolicy } from './scaling-policy.ts'

const policies = fc
  .record({
    scaleUpThreshold: fc.double({ min: 0.01, max: 1, noNaN: true }),
    low: fc.double({ min: 0, max: 0.99, noNaN: true }),
    minInstances: fc.integer({ min: 1, max: 50 }),
    more: fc.integer({ min: 0, max: 49 }),
    minPerType: fc.integer({ min: 0, max: 200 }),
    maxPerType: fc.integer({ min: 1, max: 200 }),
    queuePerSlot: fc.double({ min: 0, max: 20, noNaN: true }),
    targetResponseMs: fc.option(fc.integer({ min: 1, max: 10_000 })),
    upCooldownMs: fc.integer({ min: 0, max: 60_000 }),
    downCooldownMs: fc.integer({ min: 0, max: 600_000 }),
  })
  .map(({ low, more, ...rest }): ScalingPolicy => ({
    ...DEFAULT_POLICY,
    ...rest,
    enabled: true,
    scaleDownThreshold: low * rest.scaleUpThreshold,
    maxInstances: Math.min(50, rest.minInstances + more),
  }))
const loads: fc.Arbitrary<AgentLoad> = fc.record({
  running: fc.nat(300),
  queued: fc.nat(2_000),
  responseP95Ms: fc.option(fc.nat(20_000)),
})
const states: fc.Arbitrary<ScalingState> = fc.record({
  instances: fc.integer({ min: 1, max: 60 }),
  tasksPerInstance: fc.integer({ min: 1, max: 20 }),
  othersOfType: fc.nat(100),
  scaledAt: fc.option(fc.nat(1_000_000)),
})
const NOW = 1_000_000

const after = (policy: ScalingPolicy, load: AgentLoad, state: ScalingState, now = NOW): number =>
  decideScale(policy, load, state, now).instances ?? state.instances

test('whatever the load is, an agent has as many instances as its own bounds and its type’s say, and at least one', () => {
  fc.assert(
    fc.property(policies, loads, states, (policy, load, state) => {
      const then = after(policy, load, state)
      const { min, max } = boundsOf(policy, state)
      expect(then).toBeGreaterThanOrEqual(Math.max(1, min))
      expect(then).toBeLessThanOrEqual(max)
      expect(max).toBeLessThanOrEqual(Math.max(1, policy.maxPerType - state.othersOfType))
    }),
  )
})

test('more load never means fewer instances', () => {
  const more = fc.record({ running: fc.nat(100), queued: fc.nat(500), slower: fc.nat(5_000) })
  fc.assert(
    fc.property(policies, loads, states, more, (policy, load, state, { running, queued, slower }) => {
      const heavier = {
        running: load.running + running,
        queued: load.queued + queued,
        responseP95Ms: load.responseP95Ms === null ? null : load.responseP95Ms + slower,
      }
      expect(after(policy, heavier, state)).toBeGreaterThanOrEqual(after(policy, load, state))
    }),
  )
})

test('a shrink is by one, and leaves room for what runs below the upper threshold', () => {
  const calm = fc.tuple(policies, states, fc.double({ min: 0, max: 1, noNaN: true }))
  let shrinks = 0
  fc.assert(
    fc.property(calm, ([strict, { tasksPerInstance, instances }, taken]) => {
      const policy = { ...strict, minInstances: 1, minPerType: 1, maxInstances: 60, maxPerType: 60 }
      const state = { instances, tasksPerInstance, othersOfType: 0, scaledAt: null }
      const running = Math.floor(taken * policy.scaleDownThreshold * instances * tasksPerInstance)
      const load = { running, queued: 0, responseP95Ms: null }
      const decision = decideScale(policy, load, state, NOW)
      if (decision.reason !== 'idle') return
      shrinks += 1
      expect(decision.instances).toBe(instances - 1)
      expect(running / ((instances - 1) * tasksPerInstance)).toBeLessThan(policy.scaleUpThreshold)
      // The same load does not bring the instance back.
      const then = decideScale(policy, load, { ...state, instances: instances - 1 }, NOW)
      expect(then.instances ?? 0).toBeLessThan(instances)
    }),
  )
  expect(shrinks).toBeGreaterThan(0)
})

test('over time nothing changes within a cooldown after any change, however the load jumps', () => {
  const steps = fc.array(fc.tuple(loads, fc.integer({ min: 100, max: 60_000 })), {
    minLength: 1,
    maxLength: 40,
  })
  fc.assert(
    fc.property(policies, steps, fc.integer({ min: 1, max: 20 }), (policy, moments, tasksPerInstance) => {
      const { min } = boundsOf(policy, { othersOfType: 0 })
      let state: ScalingState = { instances: min, tasksPerInstance, othersOfType: 0, scaledAt: null }
      let now = 0
      for (const [load, wait] of moments) {
        now += wait
        const { instances } = decideScale(policy, load, state, now)
        if (instances === undefined) continue
        const since = now - (state.scaledAt ?? Number.NEGATIVE_INFINITY)
        const cooldown = instances > state.instances ? policy.upCooldownMs : policy.downCooldownMs
        expect(since).toBeGreaterThanOrEqual(cooldown)
        expect(instances).not.toBe(state.instances)
        state = { ...state, instances, scaledAt: now }
      }
    }),
  )
})

test('with the settings of the seed: 80% up, 30% down, to what the load needs at once, down by one', () => {
  const policy = { ...DEFAULT_POLICY, enabled: true }
  const state = { instances: 4, tasksPerInstance: 5, othersOfType: 0, scaledAt: null }
  const load = (running: number, queued = 0, responseP95Ms: number | null = null) => ({
    running,
    queued,
    responseP95Ms,
  })
  const told = (given: AgentLoad, more: Partial<ScalingPolicy> = {}, at: Partial<ScalingState> = {}) =>
    decideScale({ ...policy, ...more }, given, { ...state, ...at }, NOW)
  expect(told(load(15))).toEqual({ hold: true, reason: 'steady' })
  expect(told(load(16))).toEqual({ instances: 5, reason: 'utilisation' })
  // 20 + 60 tasks at 4 to an instance are below 80% of 21 instances.
  expect(told(load(20, 60))).toEqual({ instances: 21, reason: 'queue' })
  expect(told(load(20, 5_000))).toEqual({ instances: 50, reason: 'queue' })
  expect(told(load(10, 0, 900), { targetResponseMs: 500 })).toEqual({ instances: 5, reason: 'response_time' })
  expect(told(load(6))).toEqual({ instances: 3, reason: 'idle' })
  expect(told(load(6, 1))).toEqual({ hold: true, reason: 'steady' })
  expect(told(load(6), {}, { scaledAt: NOW - 299_999 })).toEqual({ hold: true, reason: 'cooldown' })
  expect(told(load(16), {}, { scaledAt: NOW - 29_999 })).toEqual({ hold: true, reason: 'cooldown' })
  expect(told(load(0), {}, { instances: 1 })).toEqual({ hold: true, reason: 'at_minimum' })
  expect(told(load(20), {}, { othersOfType: 46 })).toEqual({ hold: true, reason: 'at_maximum' })
  expect(told(load(20), {}, { othersOfType: 48 })).toEqual({ instances: 2, reason: 'above_maximum' })
})
