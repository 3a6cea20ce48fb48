import fc from 'fast-check'
import { expect, it } from 'vitest'
import { VirtualClock } from './virtual-clock.ts'

const always = () => true

function playOut(clock: VirtualClock): void {
  for (let act = clock.next(); act; act = clock.next()) act()
}

it('does everything in the order of its time, and of one time in the order it was put there', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 200 }), (times) => {
      const clock = new VirtualClock(5)
      const done: [at: number, index: number][] = []
      for (const [index, time] of times.entries())
        clock.at(time, always, () => {
          done.push([clock.now, index])
        })
      playOut(clock)
      const wanted = times
        .map((time, index): [number, number] => [Math.max(5, time), index])
        .toSorted(([a, i], [b, j]) => a - b || i - j)
      expect(done).toEqual(wanted)
    }),
  )
})

it('does what is to be done at once before it moves, also what comes up meanwhile', () => {
  const clock = new VirtualClock(0)
  const done: string[] = []
  clock.at(0, always, () => done.push('later'))
  clock.soon(() => {
    done.push('first')
    clock.soon(() => done.push('second'))
  })
  playOut(clock)
  expect(done).toEqual(['first', 'second', 'later'])
})

it('does not move for what is no more to be done, nor to a time that is no date', () => {
  const clock = new VirtualClock(0)
  clock.at(
    1_000,
    () => false,
    () => expect.unreachable(),
  )
  expect(clock.at(Number.POSITIVE_INFINITY, always, () => undefined)).toBe(false)
  expect(clock.at(9e15, always, () => undefined)).toBe(false)
  playOut(clock)
  expect(clock.now).toBe(0)
})
