import { expect, test } from 'vitest'
import { FULL, planChaos } from './plan-chaos.ts'
import { SHAPES } from './shapes.ts'

test('a seed replays the order of shapes and faults, their places and their times', () => {
  expect(planChaos(7, FULL, 'redis')).toEqual(planChaos(7, FULL, 'redis'))
  expect(planChaos(7, FULL, 'redis')).not.toEqual(planChaos(8, FULL, 'redis'))
})

test('the full amount is what the issue asks for', () => {
  const { shapes, faults } = planChaos(1, FULL, 'redis')
  const count = (kind: string): number => faults.filter((fault) => fault.kind === kind).length
  expect(shapes).toHaveLength(2_000)
  expect([count('kill'), count('freeze'), count('crash'), count('redis-kill'), count('flush')]).toEqual([
    50, 10, 5, 5, 3,
  ])
  expect(count('reset') + count('lost-reply')).toBeGreaterThan(0)
  expect(new Set(shapes)).toEqual(new Set(Object.keys(SHAPES)))
})

test('where the queue is on PostgreSQL, nobody hurts a Redis', () => {
  const { faults } = planChaos(1, FULL, 'postgres')
  expect(faults.filter(({ kind }) => kind === 'redis-kill' || kind === 'flush')).toEqual([])
})

test('a freeze and a stall outlast the lease of five seconds', () => {
  const { faults } = planChaos(1, FULL, 'redis')
  const lasting = faults.flatMap((fault) =>
    fault.kind === 'freeze' || fault.kind === 'stall' ? [fault.ms] : [],
  )
  expect(lasting).toHaveLength(FULL.freezes + FULL.stalls)
  expect(Math.min(...lasting)).toBeGreaterThanOrEqual(6_500)
})
