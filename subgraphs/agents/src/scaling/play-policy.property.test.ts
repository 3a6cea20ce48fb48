import fc from 'fast-check'
import { expect, test } from 'vitest'
import { playPolicy, totalsOf } from './play-policy.ts'
import { DEFAULT_POLICY } from './scaling-policy.ts'

const MINUTE_MS = 60_000

/** Slots, and load that they could really have had: nothing waits while a slot is free. */
const recorded = fc
  .record({
    instances: fc.integer({ min: 1, max: 10 }),
    tasksPerInstance: fc.integer({ min: 1, max: 5 }),
    demand: fc.array(fc.nat(200), { minLength: 1, maxLength: 60 }),
  })
  .map(({ instances, tasksPerInstance, demand }) => {
    const slots = instances * tasksPerInstance
    const load = demand.map((tasks, index) => ({
      at: index * MINUTE_MS,
      running: Math.min(slots, tasks),
      queued: Math.max(0, tasks - slots),
      responseP95Ms: null,
    }))
    return { start: { instances, tasksPerInstance, othersOfType: 0 }, load, slots }
  })

test('a policy that leaves the instances as they were gives what was, to the task', () => {
  fc.assert(
    fc.property(recorded, ({ start, load, slots }) => {
      const fixed = { ...DEFAULT_POLICY, minInstances: start.instances, maxInstances: start.instances }
      const was = load.map(({ at, running, queued }) => ({
        at,
        instances: start.instances,
        slots,
        running,
        queued,
      }))
      expect(playPolicy(fixed, load, start)).toEqual({ steps: was, decisions: [] })
    }),
  )
})

test('more instances never leave more waiting, and whatever is played stays within its slots', () => {
  fc.assert(
    fc.property(recorded, fc.nat(20), ({ start, load }, more) => {
      const fixed = (instances: number) => {
        const policy = {
          ...DEFAULT_POLICY,
          minInstances: instances,
          maxInstances: instances,
          maxPerType: 100,
        }
        return playPolicy(policy, load, { ...start, instances }).steps
      }
      const few = fixed(start.instances)
      const many = fixed(start.instances + more)
      for (const [index, step] of many.entries())
        expect(step.queued).toBeLessThanOrEqual(few[index]?.queued ?? 0)
      const { steps } = playPolicy(DEFAULT_POLICY, load, start)
      for (const { running, queued, slots } of steps) {
        expect(running).toBeLessThanOrEqual(slots)
        if (queued > 0) expect(running).toBe(slots)
      }
      const { overSeconds, underSeconds } = totalsOf(DEFAULT_POLICY, steps)
      expect(overSeconds + underSeconds).toBeLessThanOrEqual(load.length * 60)
    }),
  )
})
