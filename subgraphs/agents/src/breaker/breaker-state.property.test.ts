import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  askBreaker,
  breakerAfterFailure,
  breakerAfterSuccess,
  type BreakerSettings,
  type BreakerState,
  CLOSED,
  DEFAULT_BREAKER,
} from './breaker-state.ts'

const settings: fc.Arbitrary<BreakerSettings> = fc.record({
  failures: fc.integer({ min: 1, max: 10 }),
  windowMs: fc.integer({ min: 1, max: 100_000 }),
  openMs: fc.integer({ min: 1, max: 100_000 }),
  maxOpenMs: fc.integer({ min: 1, max: 1_000_000 }),
  trialMs: fc.integer({ min: 1, max: 100_000 }),
})
const step = fc.record({
  waitMs: fc.integer({ min: 0, max: 50_000 }),
  does: fc.constantFrom('ask', 'fails', 'works'),
})
const steps = fc.array(step, { maxLength: 60 })

/** Plays steps; answers with every state and what was asked in it. */
function play(moves: readonly { waitMs: number; does: string }[], given: BreakerSettings) {
  let breaker: BreakerState = CLOSED
  let now = 1_000_000
  return moves.map(({ waitMs, does }) => {
    now += waitMs
    const before = breaker
    const asked = does === 'ask' ? askBreaker(breaker, now, given) : undefined
    if (asked) breaker = asked.after
    else breaker = does === 'fails' ? breakerAfterFailure(breaker, now, given) : breakerAfterSuccess(breaker)
    return { now, does, before, after: breaker, answer: asked?.answer }
  })
}

test('it opens with the last of enough failures within the window, and not before', () => {
  fc.assert(
    fc.property(steps, settings, (moves, given) => {
      const recent: number[] = []
      for (const { now, does, before, after } of play(moves, given)) {
        if (before.state !== 'closed' || after.state === 'closed') {
          if (before.state !== 'closed') recent.length = 0
          else if (does === 'fails') recent.push(now)
          continue
        }
        recent.push(now)
        expect(recent.filter((at) => at > now - given.windowMs).length).toBeGreaterThanOrEqual(given.failures)
        recent.length = 0
      }
    }),
  )
})

test('while it is not closed nobody passes, and at most one trial begins in its time', () => {
  fc.assert(
    fc.property(steps, settings, (moves, given) => {
      let trial = Number.NEGATIVE_INFINITY
      for (const { now, does, before, after, answer } of play(moves, given)) {
        if (does === 'ask') {
          expect(answer === 'pass').toBe(before.state === 'closed')
          if (before.state !== 'closed') expect(answer === 'wait').toBe(now < before.retryAt)
        }
        if (answer === 'trial') {
          expect(now).toBeGreaterThanOrEqual(trial)
          trial = now + given.trialMs
        }
        if (before.state === 'half_open' && after.state !== 'half_open') trial = Number.NEGATIVE_INFINITY
      }
    }),
  )
})

test('a trial that fails makes it open for twice as long, up to the most; one that works closes it', () => {
  fc.assert(
    fc.property(settings, fc.integer({ min: 1, max: 12 }), (given, times) => {
      let breaker: BreakerState = { state: 'open', openMs: given.openMs, retryAt: 0 }
      let now = 0
      let expected = given.openMs
      for (let time = 0; time < times; time++) {
        if (breaker.state === 'closed') throw new Error('It closed by itself.')
        now = breaker.retryAt
        breaker = breakerAfterFailure(askBreaker(breaker, now, given).after, now, given)
        expected = Math.min(expected * 2, Math.max(given.maxOpenMs, given.openMs))
        expect(breaker).toEqual({ state: 'open', openMs: expected, retryAt: now + expected })
      }
      if (breaker.state === 'closed') throw new Error('It closed by itself.')
      expect(breakerAfterSuccess(askBreaker(breaker, breaker.retryAt, given).after)).toEqual(CLOSED)
    }),
  )
})

test('what began before it opened neither opens it for longer nor closes it', () => {
  const open: BreakerState = { state: 'open', openMs: 1_000, retryAt: 5_000 }
  expect(breakerAfterFailure(open, 4_000, DEFAULT_BREAKER)).toBe(open)
  expect(breakerAfterSuccess(open)).toBe(open)
})
