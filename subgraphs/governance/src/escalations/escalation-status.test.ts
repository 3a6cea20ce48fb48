import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DEFAULT_LADDER, ladderSchema, type LevelRule, LEVELS } from './escalation-level.ts'
import {
  canAcknowledge,
  canMove,
  canResolve,
  dueAt,
  type EscalationStatus,
  missedAt,
  ruleAbove,
  ruleAt,
} from './escalation-status.ts'

const ladders = fc.subarray([...LEVELS], { minLength: 1 }).chain((levels) =>
  fc.tuple(
    ...levels.map((level) =>
      fc
        .record({ acknowledge: fc.integer({ min: 1, max: 1e6 }), more: fc.nat(1e6) })
        .map(({ acknowledge, more }): LevelRule => ({
          level,
          responsible: { kind: 'role', name: 'admin' },
          acknowledgeWithinSeconds: acknowledge,
          resolveWithinSeconds: acknowledge + more,
        })),
    ),
  ),
)
const place = (level: string): number => LEVELS.findIndex((each) => each === level)
const acts = fc.array(
  fc.oneof(
    fc.constant('acknowledge' as const),
    fc.constant('resolve' as const),
    fc.constant('raise' as const),
    fc.nat(2e6),
  ),
  { maxLength: 30 },
)

test('the built-in policy is one that could be set', () => {
  expect(ladderSchema.parse(DEFAULT_LADDER)).toEqual(DEFAULT_LADDER)
})

test('whatever is done and however time passes: it never goes down, its end is final, and until then somebody is late or has time', () => {
  fc.assert(
    fc.property(ladders, fc.constantFrom(...LEVELS), acts, (ladder, start, each) => {
      let now = 0
      const enter = (rule: LevelRule) => ({
        level: rule.level,
        status: 'open' as EscalationStatus,
        acknowledgeBy: new Date(now + rule.acknowledgeWithinSeconds),
        resolveBy: new Date(now + rule.resolveWithinSeconds),
        exhausted: false,
      })
      let it = enter(ruleAt(ladder, start))
      for (const act of each) {
        const before = it
        if (typeof act === 'number') {
          now += act
          const missed = missedAt(it, new Date(now))
          const due = dueAt(it)
          expect(missed === null).toBe(due === null || due.getTime() > now)
          const above = ruleAbove(ladder, it.level)
          if (missed !== null) it = above ? enter(above) : { ...it, exhausted: true }
          if (missed !== null && above) expect(place(it.level)).toBeGreaterThan(place(before.level))
        } else if (act === 'acknowledge' && canAcknowledge(it.status)) {
          it = { ...it, status: 'acknowledged' }
        } else if (act === 'resolve' && canResolve(it.status)) {
          it = { ...it, status: 'resolved' }
        } else if (act === 'raise' && canMove(it.status)) {
          const above = ruleAbove(ladder, it.level)
          if (above) it = enter(above)
        }
        if (before.status === 'resolved') expect(it).toEqual(before)
        expect(place(it.level)).toBeGreaterThanOrEqual(place(before.level))
        expect(dueAt(it) === null).toBe(it.status === 'resolved')
      }
    }),
  )
})

test('who never answers reaches the top in as many misses as there are levels above', () => {
  fc.assert(
    fc.property(ladders, (ladder) => {
      const visited = [ruleAt(ladder, 'agent').level]
      for (let above = ruleAbove(ladder, 'agent'); above; above = ruleAbove(ladder, above.level))
        if (above.level !== visited.at(-1)) visited.push(above.level)
      expect(visited).toEqual(ladder.map(({ level }) => level))
    }),
  )
})
